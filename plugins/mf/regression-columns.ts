import { f32, f64, u32 } from '../contract/index.ts';

/** What the Bayesian base keeps; the letters are those of `regression.ts` and `regression-learner.ts`. */

export const FEATURES = 5;
/** Of the features, those of the item: they come first, and G has a slope on each. */
export const ITEM_FEATURES = 3;
/** Numbers of a user's regression. */
export const COEFFICIENTS = 1 + FEATURES;

/** x; its covariance, row by row to the diagonal; the mean of e²; e of late; when the user last rated, and how often in a row. */
export const userRegression = {
  coefficients: f64(COEFFICIENTS),
  covariance: f32((COEFFICIENTS * (COEFFICIENTS + 1)) / 2),
  missed: f64(),
  lately: f64(),
  ratedAt: f64(),
  place: u32(),
} as const;

/** y and its variance; the mean of r - m - x_u0; when the item was first rated. */
export const itemRegression = { bias: f64(), biasVariance: f64(), effect: f64(), first: f64() } as const;

/** M, V, and of how many ratings; G and its covariance. */
export const modelRegression = {
  means: f64(FEATURES),
  variances: f64(FEATURES),
  events: f64(),
  slopes: f64(ITEM_FEATURES),
  slopeCovariance: f64(ITEM_FEATURES * ITEM_FEATURES),
} as const;

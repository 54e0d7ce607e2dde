import type { Target } from '../report.ts';

/**
 * What there is to compare with, by part: reference implementations (C, one thread) and peers, each measured once on the same
 * ratings by the same protocol, and the figures to reach. The peers have their own defaults unless settings are named.
 */

/** By whose figures they are, metric by metric. */
export type Others = Readonly<Record<string, Readonly<Record<string, number>>>>;

export const PARTS = {
  stream: (set: string) => `${set}: each rating predicted and ranked, then learned`,
  grouped: (set: string) => `${set}: a user's ratings of one second predicted and ranked together, then learned`,
  folds: (set: string) => `${set}: five folds (u1 to u5) after REFIT, mean`,
  halves: (set: string) => `${set}: the second half online, after the first`,
  sampled: (set: string) => `${set}: the last of each user among 99 sampled items, after REFIT`,
} as const;

const { stream, grouped, folds, halves } = PARTS;

export const OTHERS: Readonly<Record<string, Others>> = {
  [stream('ml-100k')]: {
    'reference, any cost': { RMSE: 0.9118, MAE: 0.7164 },
    'reference stack': { RMSE: 0.9137, MAE: 0.7181, 'HR@10': 0.2177, 'NDCG@10': 0.1128 },
    'reference stack, median': { RMSE: 0.9197, MAE: 0.7139 },
    'reference mf': { RMSE: 0.9215, MAE: 0.7243 },
    'reference item-kNN': { RMSE: 0.9308 },
    'river 0.26 Baseline': { RMSE: 0.9541, MAE: 0.7547 },
    'river 0.26 BiasedMF k=10': { RMSE: 0.9481, MAE: 0.7489 },
    'reference popularity': { 'HR@10': 0.0762, 'NDCG@10': 0.0374 },
  },
  [stream('ml-latest-small')]: {
    'reference, any cost': { RMSE: 0.8272, MAE: 0.6275 },
    'reference stack': { RMSE: 0.8307, MAE: 0.6305, 'HR@10': 0.1541, 'NDCG@10': 0.0881 },
    'reference stack, median': { RMSE: 0.8354, MAE: 0.6261 },
    'reference mf': { RMSE: 0.8388, MAE: 0.637 },
    'reference item-kNN': { RMSE: 0.8515 },
    "river's BiasedMF, in C": { RMSE: 0.8654, MAE: 0.6624 },
    'reference popularity': { 'HR@10': 0.0469, 'NDCG@10': 0.0233 },
  },
  [stream('ml-1m-half')]: {
    'reference, any cost': { RMSE: 0.8709, MAE: 0.684 },
    'reference stack': { RMSE: 0.8753, MAE: 0.6872, 'HR@10': 0.2823, 'NDCG@10': 0.1544 },
    'reference stack, median': { RMSE: 0.8809, MAE: 0.6832 },
    'reference mf': { RMSE: 0.8843, MAE: 0.6943 },
    'reference item-kNN': { RMSE: 0.8917 },
    "river's BiasedMF, in C": { RMSE: 0.9068 },
    'reference popularity': { 'HR@10': 0.0459, 'NDCG@10': 0.0228 },
  },
  [grouped('ml-100k')]: {
    'reference stack': { RMSE: 0.9303, 'HR@10': 0.1979, 'NDCG@10': 0.1006 },
    'reference popularity': { 'HR@10': 0.0747, 'NDCG@10': 0.0366 },
  },
  [grouped('ml-latest-small')]: {
    'reference stack': { RMSE: 0.8338, 'HR@10': 0.1404, 'NDCG@10': 0.0752 },
    'reference popularity': { 'HR@10': 0.0449, 'NDCG@10': 0.0219 },
  },
  [grouped('ml-1m-half')]: {
    'reference stack': { RMSE: 0.8822, 'HR@10': 0.2325, 'NDCG@10': 0.1189 },
    'reference popularity': { 'HR@10': 0.0449, 'NDCG@10': 0.0222 },
  },
  [folds('ml-100k')]: {
    'reference biased MF, 64 factors, 60 epochs': { RMSE: 0.912, MAE: 0.7167 },
    'LensKit ItemKNN k=20': { RMSE: 0.9161, MAE: 0.7156 },
    'LensKit BiasedMF': { RMSE: 0.92, MAE: 0.7218 },
    'Surprise KNNBaseline, items': { RMSE: 0.9204, MAE: 0.7214 },
    'Surprise SVD++': { RMSE: 0.9218, MAE: 0.7238 },
    'Surprise SVD': { RMSE: 0.938, MAE: 0.739 },
  },
  [halves('ml-100k')]: {
    'reference: batch on the first half, frozen': { RMSE: 1.0724 },
    'reference: from scratch on the second half': { RMSE: 0.9592 },
    'reference: items frozen, users online': { RMSE: 0.9507 },
    'reference: warm start': { RMSE: 0.9356 },
    'reference: warm start and replay of the past': { RMSE: 0.9327 },
    'reference: regression over that and an online model': { RMSE: 0.9281 },
  },
};

/** By part, then by who and what. */
export const TARGETS: Readonly<Record<string, Readonly<Record<string, Target>>>> = {
  [stream('ml-100k')]: {
    'stack RMSE': { atMost: 0.914 },
    'mf RMSE': { atMost: 0.922 },
    'stack MAE': { atMost: 0.7185 },
    'stack-median MAE': { atMost: 0.714 },
    'stack HR@10': { atLeast: 0.2155 },
    'stack NDCG@10': { atLeast: 0.1115 },
  },
  [stream('ml-latest-small')]: {
    'stack RMSE': { atMost: 0.831 },
    'stack HR@10': { atLeast: 0.152 },
    'stack NDCG@10': { atLeast: 0.0865 },
  },
  [stream('ml-1m-half')]: {
    'stack RMSE': { atMost: 0.8755 },
    'stack HR@10': { atLeast: 0.281 },
    'stack NDCG@10': { atLeast: 0.153 },
  },
  [grouped('ml-100k')]: {
    'stack RMSE': { atMost: 0.9305 },
    'stack HR@10': { atLeast: 0.1945 },
    'stack NDCG@10': { atLeast: 0.0985 },
  },
  [grouped('ml-latest-small')]: { 'stack HR@10': { atLeast: 0.1385 }, 'stack NDCG@10': { atLeast: 0.074 } },
  [grouped('ml-1m-half')]: { 'stack HR@10': { atLeast: 0.231 }, 'stack NDCG@10': { atLeast: 0.118 } },
  [halves('ml-100k')]: { 'mf, REFIT RMSE': { atMost: 0.933 }, 'mf, BLEND with its REFIT RMSE': { atMost: 0.9285 } },
};

/** Of the model that is best at it. */
export const FOLD_TARGETS: Readonly<Record<string, Target>> = { RMSE: { atMost: 0.912 }, MAE: { atMost: 0.716 } };

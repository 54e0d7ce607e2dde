import { exp2 } from '../../contract/index.ts';

/** 1/(1 + e^-x), for |x| up to 700. */
export const sigmoid = (x: number): number => 1 / (1 + exp2(-x * Math.LOG2E));

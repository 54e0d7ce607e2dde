import { exp2, ln } from '../../contract/index.ts';
import type { IalsConfig } from './config.ts';

/** The pull to zero of a row with n positives, where the other side has m rows: l2 (n + c m)^exponent. */
export function pullOf({ l2, missing, exponent }: IalsConfig, n: number, m: number): number {
  const size = Math.max(1, n + missing * m);
  return exponent === 1 ? l2 * size : l2 * exp2(exponent * ln(size) * Math.LOG2E);
}

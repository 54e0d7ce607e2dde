import { formatBytes } from '../output.ts';
import { attention, type Finding, ok } from './findings.ts';

/** From here on a limit is near. */
const NEAR_SHARE = 0.8;
const DISK_FREE_SHARE_MIN = 0.05;
const DISK_FREE_BYTES_MIN = 1024 ** 3;

/** How much of the memory budget is taken, in bytes; `tables` of it by those of the models. */
export function examineMemory(used: number, budget: number, tables = 0): Finding {
  const parts =
    tables > 0 ? `: ${size(tables)} by tables of models, the rest by ids, ratings, features, rings and scratch` : '';
  const text = `${size(used)} of ${size(budget)} are taken (${percent(used / budget)})${parts}`;
  if (used < NEAR_SHARE * budget) return ok('memory', text);
  const advice = 'raise memory.budgetMiB (4096 at most) and restart, or unload a model: what does not fit is refused';
  return attention('memory', text, advice);
}

/** How much room the disk of the data folder has, in bytes. */
export function examineDisk(free: number, total: number): Finding {
  const text = `${size(free)} of ${size(total)} are free (${percent(free / total)})`;
  if (free >= DISK_FREE_BYTES_MIN && free >= DISK_FREE_SHARE_MIN * total) return ok('disk', text);
  return attention('disk', text, 'make room where the data folder is: without room no rating is taken');
}

export function size(bytes: number): string {
  return formatBytes(BigInt(Math.round(bytes)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

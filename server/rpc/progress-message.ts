import type { Progress } from '../../proto/gen/accrete/v1/progress.ts';

export interface ProgressFacts {
  /** In lower case: "replay". */
  readonly phase: string;
  readonly completed: number;
  /** 0: not known yet. */
  readonly total: number;
  /** What is counted: "ratings". */
  readonly unit: string;
  /** Undefined: not known yet. */
  readonly remainingMs: number | undefined;
}

/** How far long work has come, as the wire tells it. */
export function progressMessage({ phase, completed, total, unit, remainingMs }: ProgressFacts): Progress {
  const ms = Math.round(remainingMs ?? 0);
  const remaining = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
  return {
    phase,
    completed: BigInt(completed),
    total: BigInt(total),
    unit,
    remaining: remainingMs === undefined ? undefined : remaining,
  };
}

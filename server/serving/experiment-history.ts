import type { Report } from '../experiments/report.ts';
import type { Bounds } from '../experiments/statistics/boundary.ts';
import type { PointsFile } from '../store/points-file.ts';

/** How the differences of experiments moved: a point now and then, at most so many, spread evenly over the time so far. */

const POINTS_MAX = 100;
const SPACING_MS = 1000;
/** A report may take this share of the time between two points. */
const EFFORT = 0.01;
const SAVED_EVERY_MS = 60_000;

export interface HistoryPoint {
  readonly atMs: number;
  readonly arms: readonly {
    readonly name: string;
    readonly differences: readonly {
      readonly metric: string;
      readonly value: number;
      readonly bounds?: Bounds | undefined;
      readonly count: number;
    }[];
  }[];
}

export class ExperimentHistory {
  readonly #file: PointsFile;
  readonly #points: Map<string, HistoryPoint[]>;
  /** By experiment: the least time to the next point. */
  readonly #spacing = new Map<string, number>();
  /** By experiment: what the last report took of it. */
  readonly #effort = new Map<string, number>();
  #savedMs = 0;

  constructor(file: PointsFile) {
    this.#file = file;
    this.#points = new Map(Object.entries(file.read() as Record<string, HistoryPoint[]>));
    for (const [name, points] of this.#points) this.#spacing.set(name, spacingOf(points));
  }

  of(experiment: string): readonly HistoryPoint[] {
    return this.#points.get(experiment) ?? [];
  }

  isDue(experiment: string, nowMs: number): boolean {
    const last = this.of(experiment).at(-1);
    const spacing = Math.max(this.#spacing.get(experiment) ?? SPACING_MS, this.#effort.get(experiment) ?? 0);
    return !last || nowMs - last.atMs >= spacing;
  }

  /** `tookMs`: how long it took to make the report. */
  note(experiment: string, { arms }: Report, nowMs: number, tookMs: number): void {
    const own = this.#points.get(experiment) ?? [];
    own.push({
      atMs: nowMs,
      arms: arms.slice(1).map(({ name, differences }) => ({
        name,
        differences: differences.map(({ metric, value, bounds, count }) => ({ metric, value, bounds, count })),
      })),
    });
    this.#effort.set(experiment, tookMs / EFFORT);
    const spacing = this.#spacing.get(experiment) ?? SPACING_MS;
    const isFull = own.length > POINTS_MAX;
    this.#points.set(experiment, isFull ? own.filter((_, n) => n % 2 === 0) : own);
    this.#spacing.set(experiment, isFull ? 2 * spacing : spacing);
    if (nowMs - this.#savedMs >= SAVED_EVERY_MS) this.save(nowMs);
  }

  /** Lets go of what is not kept any more. */
  keep(experiments: ReadonlyMap<string, unknown>): void {
    for (const name of this.#points.keys()) {
      if (experiments.has(name)) continue;
      for (const known of [this.#points, this.#spacing, this.#effort]) known.delete(name);
    }
  }

  save(nowMs = Date.now()): void {
    this.#savedMs = nowMs;
    if (this.#points.size > 0) this.#file.write(Object.fromEntries(this.#points));
  }
}

/** Of points that an earlier run left. */
function spacingOf(points: readonly HistoryPoint[]): number {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return SPACING_MS;
  return Math.max(SPACING_MS, (last.atMs - first.atMs) / (points.length - 1));
}

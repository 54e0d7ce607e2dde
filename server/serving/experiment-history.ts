import type { ArmFigure, Report } from '../experiments/report.ts';
import type { PointsFiles } from '../store/points-files.ts';

/** How the differences of experiments moved: a point now and then, at most so many, spread evenly over the time so far. */

const POINTS_MAX = 100;
const SPACING_MS = 1000;
/** A report may take this share of the time between two points. */
const EFFORT = 0.01;
/** Of one experiment: the thread that answers calls writes them. */
const SAVED_EVERY_MS = 60_000;

export interface HistoryPoint {
  readonly atMs: number;
  readonly arms: readonly {
    readonly name: string;
    readonly differences: readonly HistoryFigure[];
  }[];
}

/** What JSON leaves out where it is undefined. */
export type HistoryFigure = Omit<ArmFigure, 'bounds'> & { readonly bounds?: ArmFigure['bounds'] };

/** That of one experiment. */
interface Course {
  points: HistoryPoint[];
  /** The least time to the next point: by how many there are, and by what the last report took. */
  spacingMs: number;
  restMs: number;
  savedMs: number;
  isSaved: boolean;
}

export class ExperimentHistory {
  readonly #files: PointsFiles;
  readonly #courses: Map<string, Course>;

  constructor(files: PointsFiles) {
    this.#files = files;
    this.#courses = new Map(
      Array.from(files.read(), ([experiment, points]) => [experiment, courseOf(points as HistoryPoint[])]),
    );
  }

  of(experiment: string): readonly HistoryPoint[] {
    return this.#courses.get(experiment)?.points ?? [];
  }

  isDue(experiment: string, nowMs: number): boolean {
    const { points, spacingMs, restMs } = this.#courses.get(experiment) ?? courseOf([]);
    const last = points.at(-1);
    return !last || nowMs - last.atMs >= Math.max(spacingMs, restMs);
  }

  /** `tookMs`: how long it took to make the report. */
  note(experiment: string, { arms }: Report, nowMs: number, tookMs: number): void {
    const course = this.#courses.get(experiment) ?? courseOf([]);
    this.#courses.set(experiment, course);
    course.points.push({
      atMs: nowMs,
      arms: arms.slice(1).map(({ name, differences }) => ({
        name,
        differences: differences.map(({ metric, value, bounds, count }) => ({ metric, value, bounds, count })),
      })),
    });
    course.restMs = tookMs / EFFORT;
    course.isSaved = false;
    if (course.points.length > POINTS_MAX) {
      course.points = course.points.filter((_, n) => n % 2 === 0);
      course.spacingMs *= 2;
    }
    if (nowMs - course.savedMs >= SAVED_EVERY_MS) this.#save(experiment, course, nowMs);
  }

  /** Lets go of what is not kept any more. */
  keep(experiments: ReadonlyMap<string, unknown>): void {
    for (const name of this.#courses.keys()) {
      if (experiments.has(name)) continue;
      this.#courses.delete(name);
      this.#files.remove(name);
    }
  }

  save(nowMs = Date.now()): void {
    for (const [name, course] of this.#courses) if (!course.isSaved) this.#save(name, course, nowMs);
  }

  #save(experiment: string, course: Course, nowMs: number): void {
    course.savedMs = nowMs;
    course.isSaved = true;
    this.#files.write(experiment, course.points);
  }
}

/** With points that an earlier run left. */
function courseOf(points: HistoryPoint[]): Course {
  return { points, spacingMs: spacingOf(points), restMs: 0, savedMs: 0, isSaved: true };
}

function spacingOf(points: readonly HistoryPoint[]): number {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return SPACING_MS;
  return Math.max(SPACING_MS, (last.atMs - first.atMs) / (points.length - 1));
}

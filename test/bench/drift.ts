import type { Drift } from '../../plugins/contract/index.ts';
import { configSchema } from '../../server/config/schema.ts';
import { Scale } from '../../server/memory/scale.ts';
import { type ResolvedModel, resolveModels } from '../../server/models/plugins.ts';
import { type Found, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import { lossOf, ratingsUntil } from './recovery.ts';
import type { Report } from './report.ts';
import { DEFAULT_MODEL } from './server.ts';
import { type Band, drawShift, type Shift, shiftedValues } from './shifts.ts';

/**
 * Drift: how often models see it in streams as they are, and how soon they recover from shifts: with what they do about drift
 * and without it (`drift.enabled` false), as they are shipped otherwise. In process, by what teaches in a server: it is some
 * hundred streams; `test/integration/drift.test.ts` shows one through the wire.
 */

const part = 'drift';
const BUDGET_MIB = 1024;
const MAX = 5;
/** The seed of the first shift; `DRIFT_SEED` shows others than those that settings were chosen on. */
const SEED = Number(process.env.DRIFT_SEED ?? 1);
/** What is left of the lost accuracy when it counts as recovered. */
const LEFT = [0.5, 0.2];

const LARGE: Band = { name: '1 to 2 stars, half of the users to all', size: [1, 2], share: [0.5, 1] };
const SMALL: Band = { name: 'half a star to 1, 30% to 70% of the users', size: [0.5, 1], share: [0.3, 0.7] };

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly min: number;
  readonly parts: readonly { readonly model: string; readonly band: Band; readonly shifts: number }[];
}

/** The default model takes four times as long as the one among its inputs that watches, so it has fewer shifts. */
const PARTS: Case['parts'] = [
  { model: 'mf', band: LARGE, shifts: 20 },
  { model: 'mf', band: SMALL, shifts: 20 },
  { model: DEFAULT_MODEL, band: LARGE, shifts: 3 },
];
const CASES: readonly Case[] = [
  { set: 'ml-100k', find: find100k, min: 1, parts: PARTS },
  { set: 'ml-latest-small', find: findMovieLensSmall, min: 0.5, parts: PARTS },
  { set: 'ml-1m, timed half', find: find1mHalf, min: 1, parts: [] },
];

/** The models of a server that is configured with nothing but what is done about drift. */
type Models = Readonly<Record<'watching' | 'fixed', readonly ResolvedModel[]>>;

export async function benchDrift(report: Report): Promise<void> {
  const models = { watching: await modelsWith({}), fixed: await modelsWith({ enabled: false }) };
  for (const each of CASES) {
    report.heading(`Drift: ${each.set}`);
    const { skip, ratings } = each.find();
    if (!ratings) report.note(String(skip));
    else {
      benchCalm(report, ratings, each, models);
      for (const one of each.parts) benchShifts(report, ratings, { ...each, ...one }, models);
    }
  }
}

async function modelsWith(drift: object): Promise<ResolvedModel[]> {
  const { models } = configSchema.parse({});
  return resolveModels(
    models.map((model) => (model.plugin === 'mf' ? { ...model, config: { ...model.config, drift } } : model)),
  );
}

/** The stream as it is. */
function benchCalm(report: Report, ratings: Ratings, { min }: Case, { watching, fixed }: Models): void {
  for (const { spec } of watching.filter(({ spec }) => spec.plugin === 'mf')) {
    const [one, other] = [watching, fixed].map((models) => learn(ratings, ratings.value, min, spec.name, models));
    const alarms = (1e5 * one.drifts.length) / ratings.count;
    report.add({ part, name: `${spec.name}: alarms in 100,000`, value: alarms, unit: '', target: { atMost: 1 } });
    const value = rmse(ratings.value, one.expected) - rmse(ratings.value, other.expected);
    report.add({ part, name: '  RMSE, less that without watching', value, unit: '', target: { atMost: 1e-4 } });
  }
}

interface Taught {
  /** Of every rating, before it was learned; within the scale. */
  readonly expected: Float64Array;
  readonly drifts: readonly Drift[];
}

function learn(
  { user, item, time, count }: Ratings,
  values: Float64Array,
  min: number,
  name: string,
  models: readonly ResolvedModel[],
): Taught {
  const { plugin, spec } = models.find((one) => one.spec.name === name) as ResolvedModel;
  const lab = new Lab(plugin, spec.config, { scale: new Scale(min, MAX), budgetMiB: BUDGET_MIB, neighbours: models });
  const expected = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    lab.teach({ user: String(user[n]), item: String(item[n]), value: values[n], time: time[n] });
    expected[n] = Math.max(min, Math.min(MAX, lab.expected));
  }
  return { expected, drifts: lab.model.scorer.drifts?.() ?? [] };
}

interface Course {
  /** Ratings until so much was left, for each of `LEFT`. */
  readonly until: readonly number[];
  /** Squared error lost since the shift, by rating. */
  readonly lost: number;
  readonly drifts: readonly Drift[];
}

interface Recovery {
  readonly shift: Shift;
  readonly watching: Course;
  readonly fixed: Course;
}

type ShiftsCase = Pick<Case, 'min'> & Case['parts'][number];

function benchShifts(report: Report, ratings: Ratings, asked: ShiftsCase, models: Models): void {
  const { model, band, min, shifts } = asked;
  console.log(`  ${model}, ${shifts} shifts of ${band.name}: ratings until what is left of the loss is`);
  const never = learn(ratings, ratings.value, min, model, models.fixed).expected;
  const found: Recovery[] = [];
  for (let seed = SEED; seed < SEED + shifts; seed++) {
    const recovery = recover(ratings, drawShift(seed, ratings.count, band), never, asked, models);
    found.push(recovery);
    report.note(textOf(recovery));
  }
  // What is small is shown, and promised nothing.
  const target = band === LARGE ? { atMost: 0.5 } : undefined;
  const add = (name: string, values: readonly number[], unit: string, wanted?: typeof target) =>
    report.add({
      part,
      name: `${model}: ${name}`,
      value: mean(values),
      unit,
      target: wanted,
      spread: boundsOf(values),
    });
  for (const [n, left] of LEFT.entries()) {
    const ratios = found.map(({ watching, fixed }) => watching.until[n] / fixed.until[n]);
    const of = (how: 'watching' | 'fixed') => found.map((one) => one[how].until[n]);
    add(`ratings until ${left} is left`, of('watching'), 'ratings');
    add('  with fixed settings', of('fixed'), 'ratings');
    add('  ratio, mean [best, worst]', ratios, '', target);
  }
  const losses = found.map(({ watching, fixed }) => watching.lost / fixed.lost);
  add('  squared error lost, by that of fixed settings', losses, '');
}

/** One shift, with what the model does about it and without. */
function recover(
  ratings: Ratings,
  shift: Shift,
  without: Float64Array,
  { min, model }: ShiftsCase,
  { watching, fixed }: Models,
): Recovery {
  const always = shiftedValues(ratings, shift, [min, MAX]);
  const values = always.map((value, n) => (n < shift.position ? ratings.value[n] : value));
  const ideal = squares(always, learn(ratings, always, min, model, fixed).expected);
  const never = squares(always, without);
  const examine = (models: readonly ResolvedModel[]): Course => {
    const { expected, drifts } = learn(ratings, values, min, model, models);
    const errors = { model: squares(always, expected), always: ideal, never };
    const until = LEFT.map((left) => ratingsUntil(errors, shift.position, left));
    return { until, lost: lossOf(errors, shift.position), drifts };
  };
  return { shift, watching: examine(watching), fixed: examine(fixed) };
}

/** One line of the table. */
function textOf({ shift, watching, fixed }: Recovery): string {
  const { seed, position, size, share } = shift;
  const pairs = LEFT.map((left, n) => `${left}: ${watching.until[n]} for ${fixed.until[n]}`).join(', ');
  const alarms = watching.drifts.map(({ revision }) => revision - position).reverse();
  const said = `at ${position}, ${size.toFixed(2)} stars, ${Math.round(100 * share)}%`;
  return `${seed}: ${said}: ${pairs}; alarms after ${alarms.join(', ') || 'none'}`;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const boundsOf = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
const squares = (values: Float64Array, expected: Float64Array) => values.map((value, n) => (value - expected[n]) ** 2);
const rmse = (values: Float64Array, expected: Float64Array) => Math.sqrt(mean([...squares(values, expected)]));

import { NO_ROW } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { offPolicyFigures, type Target } from '../../experiments/statistics/off-policy.ts';
import { type Expectation, expectRewards } from '../../experiments/statistics/reward-model.ts';
import { Arena } from '../../memory/arena.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import { Scale } from '../../memory/scale.ts';
import { Scratch } from '../../memory/scratch.ts';
import { DEFAULT_NAMESPACE, type World } from '../../memory/world.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { Peers } from '../../models/peers.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { Scores } from '../../models/scores.ts';
import { WritableModel } from '../../models/writable-model.ts';
import { decodeExposures, type Exposure, NO_ITEM } from '../../store/exposure-codec.ts';
import { revisionGone } from '../../store/failure.ts';
import { RATINGS_MAX, RatingBatch } from '../../store/rating-batch.ts';
import { decodeRateRequest } from '../../store/rating-codec.ts';
import { decodeRecord } from '../../store/record.ts';
import { storeNumber } from '../../teaching/attribution.ts';
import type { JobContext } from '../job-context.ts';
import type { ModelFailure } from './evaluate.ts';
import { Logged } from './logged.ts';
import { emptyWorld, replay } from './replay.ts';
import type { Figure } from './report.ts';

/**
 * OFF_POLICY: what models would have earned in the places that exploring ones filled by chance. The models learn the journal
 * as it came; at each logged answer they say which items they would have shown, and that is compared with what was.
 */

export interface OffPolicyTask {
  /** Records whose answers count; without `from` from the oldest. */
  readonly from: number | undefined;
  readonly to: number;
  readonly models: readonly ModelSpec[];
  /** What these have as inputs, which learn beside them. */
  readonly inputs: readonly ModelSpec[];
  /** Of `OFF_POLICY_METRICS`. */
  readonly metrics: readonly string[];
  /** Where weights are cut; undefined: at the root of the number of places. */
  readonly clip: number | undefined;
}

export interface OffPolicyResult {
  readonly figures: readonly Figure[];
  readonly failures: readonly ModelFailure[];
}

export const OFF_POLICY_METRICS = ['ips', 'snips', 'doubly_robust', 'effective_size', 'clipped_share', 'mean_weight'];

/** The journal's first record, from which rows are numbered as exposures have them. */
const FIRST = 1;
/** Ratings that a sliding figure would cover; nobody reads them here. */
const WINDOW = 1;

/** Throws MEMORY_FULL when it takes more than `jobs.memoryMiB`, REVISION_GONE, TOO_FEW_EVENTS, INVALID_FIELD. */
export async function* evaluateOffPolicy(
  task: OffPolicyTask,
  { config, settings, journal, meter }: JobContext,
): AsyncGenerator<OffPolicyResult> {
  if (journal.firstRevision > FIRST) throw revisionGone(FIRST, journal.firstRevision);
  const specs = [...task.models, ...task.inputs];
  const plugins = await Promise.all(specs.map(({ plugin }) => loadPlugin(plugin)));
  const arena = Arena.create(config.jobs.memoryMiB * 2 ** 20, 'jobs.memoryMiB');
  const kernels = loadHostKernels(arena.memory);
  const scale = new Scale(settings.rating.min, settings.rating.max);
  const world = emptyWorld({ arena, kinds: settings.kinds });
  const host = { arena, world, scale, peers: new Peers() };
  const all = specs.map((spec, n) => WritableModel.create(host, plugins[n], spec, WINDOW));
  const models = all.slice(0, task.models.length);
  const failed = new Map<string, string>();
  const logged = new Logged(storeNumber(settings.stores?.[0]?.id ?? ''));
  const readers = models.map((model) => new ListReader(model, world, arena, kernels));
  const batch = new RatingBatch(RATINGS_MAX);
  const itemOf = (n: number) => {
    const key = {
      bytes: batch.bytes,
      start: batch.itemStart[n],
      length: batch.itemLength[n],
      namespace: DEFAULT_NAMESPACE,
    };
    const row = world.items.find(key);
    return row < 0 ? NO_ITEM : row;
  };
  meter.begin('replay', 'records', task.to - FIRST + 1);
  const source = { arena, kernels, scale, kinds: settings.kinds, journal, meter, from: FIRST, to: task.to };
  const onFailure = (model: string, why: string) => failed.set(model, why);
  for (const { revision, record } of replay(source, { ...host, models: all, onFailure })) {
    const { type, payload } = decodeRecord(record, revision);
    if (type === 'ratings') {
      decodeRateRequest(payload, batch);
      for (let n = 0; n < batch.count; n++) logged.credit(batch, n, itemOf, world);
    } else if (type === 'exposures' && revision >= (task.from ?? FIRST)) {
      const { run, exposures } = decodeExposures(payload);
      for (const exposure of exposures) {
        if (!logged.expose(run, exposure)) continue;
        for (const reader of readers) if (!failed.has(reader.model.name)) attempt(reader, exposure, onFailure);
      }
    }
  }
  if (logged.places === 0) throw nothingDrawn();
  const failures = Array.from(failed, ([model, why]) => ({ model, why }));
  const figures = readers.filter(({ model }) => !failed.has(model.name)).flatMap((one) => figuresOf(one, logged, task));
  yield { figures, failures };
}

/** What a model would have shown, place by place. */
class ListReader {
  readonly model: WritableModel;
  readonly wanted: number[] = [];
  readonly #world: World;
  readonly #arena: Arena;
  readonly #kernels: ReturnType<typeof loadHostKernels>;
  readonly #scores: Scores;
  readonly #best: Scratch;

  constructor(model: WritableModel, world: World, arena: Arena, kernels: ReturnType<typeof loadHostKernels>) {
    this.model = model;
    this.#world = world;
    this.#arena = arena;
    this.#kernels = kernels;
    this.#scores = new Scores(arena);
    this.#best = new Scratch(arena);
  }

  /** The best items that the user has not seen, as many as were shown. */
  read({ row, items, atMs }: Exposure): void {
    const { model } = this;
    const user = row < this.#world.users.rows ? row : NO_ROW;
    const query = { user: user === NO_ROW ? NO_ROW : model.user(user), time: atMs / 1000 };
    const scores = this.#scores.ofAll((spans, count, out) => model.scorer.score(query, spans, count, out), model.items);
    this.#world.itemFeatures.availability.exclude(this.#kernels, scores, model.items, query.time);
    if (user !== NO_ROW) this.#scores.excludeSeen(this.#world, user, model.items);
    const best = this.#best.reserve(8 * items.length);
    const found = this.#kernels.topK(scores, model.items, items.length, best);
    const words = this.#arena.u32;
    for (let place = 0; place < items.length; place++)
      this.wanted.push(place < found ? words[(best >>> 2) + 2 * place + 1] : NO_ITEM);
  }
}

/** A model that fails has no figures; the others go on. */
function attempt(reader: ListReader, exposure: Exposure, onFailure: (model: string, why: string) => void): void {
  try {
    reader.read(exposure);
  } catch (error) {
    if (error instanceof AccreteError) throw error;
    onFailure(reader.model.name, String(error));
  }
}

function figuresOf({ model, wanted }: ListReader, logged: Logged, { metrics, clip }: OffPolicyTask): Figure[] {
  const log = {
    unit: Uint32Array.from(logged.unit),
    propensity: Float64Array.from(logged.propensity),
    reward: Float64Array.from(logged.reward),
  };
  const rows = logged.item;
  const found = offPolicyFigures(log, targetOf(rows, wanted, logged.unit, expectRewards(log, rows)), clip);
  const all: Record<string, { readonly value: number; readonly bounds?: Figure['interval'] }> = {
    ips: found.ips,
    snips: found.snips,
    doubly_robust: found.doublyRobust,
    effective_size: { value: found.effectiveSize },
    clipped_share: { value: found.clippedShare },
    mean_weight: { value: found.meanWeight },
  };
  const count = found.places;
  return metrics.flatMap((metric) => {
    const { value, bounds: interval } = all[metric];
    // Where no place was filled as the model would, there is no weight to divide by.
    return Number.isFinite(value) ? [{ model: model.name, metric, value, interval, count, segment: '' }] : [];
  });
}

/** Of a policy that shows its best items: with certainty, or not at all. */
function targetOf(
  shown: readonly number[],
  wanted: readonly number[],
  unit: readonly number[],
  expect: Expectation,
): Target {
  return {
    probability: Float64Array.from(shown, (item, n) => (item !== NO_ITEM && item === wanted[n] ? 1 : 0)),
    expected: Float64Array.from(shown, (item, n) => expect(unit[n], item)),
    expectedOfTarget: Float64Array.from(wanted, (item, n) => expect(unit[n], item)),
  };
}

function nothingDrawn(): AccreteError {
  const message =
    'No answer of the window tells with which probability its items were shown: run an experiment with an arm that explores ' +
    '(docs/experiments.md), or name a longer window';
  return new AccreteError('TOO_FEW_EVENTS', message, { metadata: { events: '0' } });
}

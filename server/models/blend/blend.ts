import { z } from 'zod';
import {
  type KindEvent,
  type LearnContext,
  type Learner,
  learnsEvents,
  type Plugin,
  type Query,
  type RatingEvent,
  type RefitContext,
  type RetractPromise,
  type ScoreContext,
  type Scorer,
  type TableSpecs,
} from '../../../plugins/contract/index.ts';
import { GATE_VERSION, Gate, gateTable } from './gate.ts';
import { type BlendConfig, memberTables, scoringContext, tableOf, writingContext } from './members.ts';

/**
 * Several models as one: all of them learn, a gate learns how much each is to be believed, and the first one ranks. To the
 * host it is a model of one plugin, whose tables are those of its members and of the gate: so it is kept, saved, brought back,
 * forgotten and measured like any other.
 */

const FORGETTING = 0.9999;
/** The weakest promise counts. */
const PROMISES: readonly RetractPromise[] = ['none', 'approximate', 'exact'];

const blends = new WeakMap<Plugin, readonly Plugin[]>();

/** The plugins of the members; undefined of what is no blend. */
export function membersOf(plugin: Plugin): readonly Plugin[] | undefined {
  return blends.get(plugin);
}

/** A plugin of these, in their order. `name`: what it is called. */
export function blendOf(plugins: readonly Plugin[], name: string): Plugin {
  const config = (given: { readonly seed: number }) => given as BlendConfig;
  const canRefit = plugins.some(({ refit }) => refit);
  const blend: Plugin = {
    name,
    summary: 'Several models as one, with a gate that learns how much each of them is to be believed.',
    stateVersion: plugins.reduce((version, { stateVersion }) => (31 * version + stateVersion) % 2 ** 31, GATE_VERSION),
    config: configOf(plugins),
    tables: (given) => ({ ...memberTables(plugins, config(given)), gate: gateTable(plugins.length) }),
    // The gate keeps what it learned of everybody.
    retracts: PROMISES[Math.min(1, ...plugins.map(({ retracts }) => PROMISES.indexOf(retracts)))],
    learnsEvents: (given) => plugins.some((plugin, n) => learnsEvents(plugin, config(given).members[n])),
    ranksStrangers: plugins[0].ranksStrangers ?? false,
    scorer: (context) => scorerOf(plugins, context),
    learner: (context) => new BlendLearner(plugins, context, learnsEvents(blend, context.config)),
    ...(canRefit && { refit: (context: Refitting) => refitAll(plugins, context) }),
    fusion: () => 'it is a blend of models: fuse those, or its members with BLEND',
  };
  blends.set(blend, plugins);
  return blend;
}

type Refitting = RefitContext<{ seed: number }, TableSpecs, unknown>;
type Learning = LearnContext<{ seed: number }, TableSpecs, unknown>;
type Scoring = ScoreContext<{ seed: number }, TableSpecs, unknown>;

/** What is left out of `members` has the defaults of its plugin. */
function configOf(plugins: readonly Plugin[]): Plugin['config'] {
  const members = plugins.map((plugin) => plugin.config.prefault({} as never));
  const empty = plugins.map(() => ({}));
  return z.strictObject({
    seed: z.int().min(0).max(0xffff_ffff).default(1).meta({ description: 'Of what members draw while they learn.' }),
    forgetting: z.number().min(0.99).max(1).default(FORGETTING).meta({
      description: 'How much of a rating is left in the gate after the next one; 1: it forgets nothing.',
    }),
    members: z
      .tuple(members as unknown as [z.ZodType, ...z.ZodType[]])
      .prefault(empty as never)
      .meta({
        description: 'The settings of each member.',
        form: `a list of the settings of ${plugins.map(({ name }) => name).join(', ')}, in this order`,
      }),
  }) as unknown as Plugin['config'];
}

function gateOf(context: Pick<Scoring, 'tables' | 'memory'>, members: number): Gate {
  const { gate } = context.tables;
  // The scorer only reads.
  return new Gate(context.memory.f64 as Float64Array, (name) => gate.column(name)(0), members);
}

function scorersOf(plugins: readonly Plugin[], context: Scoring | Learning): Scorer[] {
  return plugins.map((plugin, n) => plugin.scorer(scoringContext(plugin, n, context)));
}

/** What a member does not expect is what the first one does. */
function ask(scorers: readonly Scorer[], gate: Gate, query: Query, item: number): void {
  for (let m = 0; m < scorers.length; m++) {
    const expected = scorers[m].predict?.(query, item) ?? Number.NaN;
    gate.expected[m] = m > 0 && Number.isNaN(expected) ? gate.expected[0] : expected;
  }
}

function scorerOf(plugins: readonly Plugin[], context: Scoring): Scorer {
  const scorers = scorersOf(plugins, context);
  const gate = gateOf(context, plugins.length);
  const reading = readingOf(scorers[0]);
  if (!scorers[0].predict) return reading;
  return {
    ...reading,
    predict(query, item) {
      ask(scorers, gate, query, item);
      return gate.predict();
    },
  };
}

/** All that a scorer does besides predicting, whether it is an object or of a class. */
function readingOf(scorer: Scorer): Scorer {
  return {
    score: (...asked) => scorer.score(...asked),
    ...(scorer.heads && { heads: scorer.heads }),
    ...(scorer.similar && { similar: scorer.similar.bind(scorer) }),
    ...(scorer.session && { session: scorer.session.bind(scorer) }),
    ...(scorer.vectors && { vectors: scorer.vectors }),
    ...(scorer.factors && { factors: scorer.factors }),
    ...(scorer.explain && { explain: scorer.explain.bind(scorer) }),
    ...(scorer.without && { without: scorer.without.bind(scorer) }),
  };
}

class BlendLearner implements Learner {
  readonly #learners: readonly Learner[];
  readonly #scorers: readonly Scorer[];
  readonly #gate: Gate;
  readonly #forgetting: number;
  readonly learnEvent?: (event: KindEvent) => void;
  readonly retractEvent?: (event: KindEvent) => void;

  constructor(plugins: readonly Plugin[], context: Learning, hasEvents: boolean) {
    this.#learners = plugins.map((plugin, n) =>
      plugin.learner({
        ...writingContext(plugin, n, context),
        touch: (table: string, row: number) => context.touch(tableOf(n, table), row),
      }),
    );
    this.#scorers = scorersOf(plugins, context);
    this.#gate = gateOf(context, plugins.length);
    this.#forgetting = (context.config as BlendConfig).forgetting;
    if (!hasEvents) return;
    this.learnEvent = (event) => {
      for (const learner of this.#learners) learner.learnEvent?.(event);
    };
    this.retractEvent = (event) => {
      for (const learner of this.#learners) learner.retractEvent?.(event);
    };
  }

  /** The second opinion on a rating is no new one: the members take the edit. */
  learn(event: RatingEvent): void {
    if (this.#scorers[0].predict && !event.previous && event.weight > 0) {
      ask(this.#scorers, this.#gate, event, event.item);
      this.#gate.learn(event.value, event.weight, this.#forgetting);
    }
    for (const learner of this.#learners) learner.learn(event);
  }

  retract(event: RatingEvent): void {
    for (const learner of this.#learners) learner.retract?.(event);
  }
}

/** Those members that can be, one after the other; the gate stays. */
async function* refitAll(plugins: readonly Plugin[], context: Refitting): AsyncGenerator<number> {
  const able = plugins.flatMap((plugin, n) => (plugin.refit ? [{ plugin, n, refit: plugin.refit }] : []));
  for (const [done, { plugin, n, refit }] of able.entries())
    for await (const share of refit(writingContext(plugin, n, context))) yield (done + share) / able.length;
}

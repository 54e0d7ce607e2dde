import type { z } from 'zod';
import type { Address, Memory, WritableAddress, WritableMemory } from './address.ts';
import type { Device } from './device.ts';
import type { Drift } from './drift.ts';
import type { Exploration } from './exploration.ts';
import type { Fusion } from './fusion.ts';
import type { Query } from './query.ts';
import type { Random } from './random.ts';
import type { ReadTables, TableSpecs, WriteTables } from './tables.ts';
import type { Aim, SearchSpace } from './tuning.ts';

/** What a rating says. */
export interface Rated {
  /** The rating mapped to 1..5: 1 + 4 (value - min)/(max - min). */
  readonly value: number;
  /** 0..10, 1 for an ordinary rating: multiplies the learning step. */
  readonly weight: number;
  /** Event time, seconds since 1970. */
  readonly time: number;
}

/** A rating as a model sees it. The host reuses its objects: read them, do not keep them. */
export interface RatingEvent extends Rated {
  /** Rows of the user and the item; both exist. */
  readonly user: number;
  readonly item: number;
  /** The rating that this one replaces (an edit), or undefined (a first rating). */
  readonly previous: Rated | undefined;
  /** Its `order` in the history: of a first rating, the one that it is about to get; an edit keeps that of the first. */
  readonly order: number;
  /** The record of the journal that it came with. What is learned must not depend on it; what is told of learning may. */
  readonly revision: number;
}

/**
 * What a user did with an item besides rating it. An event that carries a value set the rating of the pair just before,
 * which `learn` was told of: a model that counts both counts it twice.
 */
export interface KindEvent {
  /** Rows of the user and the item; both exist. */
  readonly user: number;
  readonly item: number;
  /** The name of its kind, such as `click`. */
  readonly kind: string;
  /** Whether it says no more than that the user was shown the item: its kind is configured so. */
  readonly exposure: boolean;
  /** Its own weight times that of its kind: 0..100, 1 unless something was set. */
  readonly weight: number;
  /** Event time, seconds since 1970. */
  readonly time: number;
  /** The rating that it carried, mapped to 1..5, or undefined. */
  readonly value: number | undefined;
  /** Of one that is taken back: whether another one of the same user, item and kind is taken back right after it. */
  readonly more: boolean;
}

/**
 * Who rated what: the live ratings that this model has learned, as of just before the event at hand.
 * A rating is named by its row; a user's (an item's) ratings are numbered from 0 in order of arrival.
 */
export interface History {
  /** Live ratings of a user, of an item; 0 for `NO_ROW`. */
  userCount(user: number): number;
  itemCount(item: number): number;
  /** The row of the n-th rating of a user, of an item. */
  ofUser(user: number, n: number): number;
  ofItem(item: number, n: number): number;
  /** The row of a user's rating of an item, or `NO_ROW`. */
  find(user: number, item: number): number;
  /** What rating row `row` says; `value` is mapped to 1..5, `time` is in seconds since 1970. */
  user(row: number): number;
  item(row: number): number;
  value(row: number): number;
  weight(row: number): number;
  time(row: number): number;
  /** A whole number that rises with arrival, over ratings and events together: from number to number in every list. */
  order(row: number): number;
  /**
   * Copies ratings of a user with numbers below `end`, the latest first, at most `most`: what they rated (u32), and values
   * (f64). Returns how many there are; fewer than `end` when the list has become shorter.
   */
  latest(user: number, end: number, most: number, items: WritableAddress, values: WritableAddress): number;
  /** Rows run from 0 to here, for sampling. One of them may be that of a retracted rating: its weight is 0. */
  readonly rows: number;
}

/**
 * Who did what besides rating: the live events, as of just before the event at hand; ratings are not among them. Weights
 * are those that were learned; `value` is NaN where there is none. While several events are taken back at once, those
 * that are taken back already still stand in the lists, with weight 0.
 */
export interface EventHistory extends Omit<History, 'find'> {
  /** The name of an event's kind. */
  kind(row: number): string;
  /** Whether it was learned as one that only says that the user was shown the item. */
  exposure(row: number): boolean;
}

/** What someone unknown looked at, whose list is to be ranked by that. */
export interface Session {
  /** Rows of items, all of which exist, the latest last: 1 .. 1,000 of them. An item may stand there twice. */
  readonly items: Uint32Array;
  /** The time of the request, seconds since 1970. */
  readonly time: number;
}

/** The place of items in a space where near is alike. */
export interface ItemVectors {
  /** Numbers in a vector, 1 .. 4,096. */
  readonly width: number;
  /** Where the vector of an item that exists is: `width` f32. They are compared by their cosine; all may be 0. */
  of(item: number): Address;
}

/** A ranking that is a product of vectors: score = <vector of who asks, vector of the item> + bias of the item. */
export interface Factors {
  /** Numbers in a vector, 1 .. 4,096. */
  readonly width: number;
  /** Where the vector of who asks is, until the scorer is called again: `width` f32. Undefined: their scores are no such products. */
  ofUser(query: Query): Address | undefined;
  /** Where the vector of an item that exists is, and its bias, one f32: the same whoever asks. */
  ofItem(item: number): Address;
  biasOf(item: number): Address;
}

/** One summand of a score. */
export type Contribution =
  /** What the user's rating of an item, named by its row, adds. */
  | { readonly item: number; readonly value: number }
  /** What a part of the model adds, in lower case: "mean", "item_bias", "popularity", or the name of an input. */
  | { readonly term: string; readonly value: number };

/**
 * Another model of the server, that this one has as an input: as it is now and, while an event is learned, as it was just
 * before that event. It may fail or be gone for a while: every answer says whether there is one.
 */
export interface Input {
  /** Its name. */
  readonly name: string;
  /** The rating that it expects, as `Scorer.predict`; NaN when it does not answer, or predicts nothing. */
  predict(query: Query, item: number): number;
  /** Its scores, as `Scorer.score` or, with a name, as that of its `heads`; false when it has no answer: nothing is written. */
  score(head: string, query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): boolean;
  /** Copies where an item that exists is, as `Scorer.vectors`, to `out`; returns how many numbers that is, 0 when it has no answer. */
  vector(item: number, out: WritableAddress): number;
}

/** A model that another one has as an input, and what that one asks of it: the host refuses one that cannot do it. */
export interface InputSpec {
  /** Its name. */
  readonly model: string;
  /** Whether it has to predict ratings. */
  readonly predicts?: boolean;
  /** Which of its `heads` it has to have. */
  readonly head?: string;
  /** Whether it has to have `vectors`. */
  readonly vectors?: boolean;
}

/** The most numbers of a vector. */
export const VECTOR_WIDTH_MAX = 4096;

/** The most ratings that `Scorer.without` is asked to leave out. */
export const WITHOUT_MAX = 20;

/** What the scoring side of a model is given. */
export interface ScoreContext<Config, Specs extends TableSpecs, Kernels> {
  readonly config: Config;
  readonly tables: ReadTables<Specs>;
  readonly memory: Memory;
  /** For a scorer without kernels: score n goes to `scores[(out >>> 2) + n]`. Besides, scratch may be written. */
  readonly scores: Float32Array;
  readonly kernels: Kernels;
  readonly history: History;
  /** Empty unless the plugin says `learnsEvents`. */
  readonly events: EventHistory;
  /** The models that `inputs` names, in that order. */
  readonly inputs: readonly Input[];
  /** Scratch memory of the asked size that holds nothing between calls; to be asked for while the scorer is made. */
  scratch(bytes: number): WritableAddress;
}

/** What everything that writes a model's tables is given. */
interface WriteContext<Config, Specs extends TableSpecs, Kernels> {
  readonly config: Config;
  readonly tables: WriteTables<Specs>;
  readonly memory: WritableMemory;
  readonly kernels: Kernels;
  readonly history: History;
  /** Empty unless the plugin says `learnsEvents`. */
  readonly events: EventHistory;
  /** Makes a row of a pool, all zeros, and returns its number. */
  append(pool: keyof Specs & string): number;
  /** Gives a row the values that it started with: one of the event's user or item, or in a refit any. */
  reset(table: keyof Specs & string, row: number): void;
}

/** What the learning side of a model is given. */
export interface LearnContext<Config, Specs extends TableSpecs, Kernels> extends WriteContext<Config, Specs, Kernels> {
  /** Keyed anew before every event. */
  readonly random: Random;
  /** The models that `inputs` names, in that order: they learn an event after this one has. */
  readonly inputs: readonly Input[];
  /** Scratch memory of the asked size that holds nothing between events. */
  scratch(bytes: number): WritableAddress;
  /** Names a row of a `sampled` table, or of a pool, that this event changes besides its own, before it is changed. */
  touch(table: keyof Specs & string, row: number): void;
  /** Tells of drift that was found with this event, for the log of a server; what the tables have of it is `Scorer.drifts`. */
  tell(drift: Drift): void;
}

/** What is given to who makes anew what follows from fused tables. */
export interface SettleContext<Config, Specs extends TableSpecs, Kernels> extends WriteContext<Config, Specs, Kernels> {
  /** Rows of users and of items: every table of theirs has as many. */
  readonly users: number;
  readonly items: number;
}

/** What a refit is given: all live ratings, and the tables as they are. Nobody writes either meanwhile. */
export interface RefitContext<Config, Specs extends TableSpecs, Kernels> extends SettleContext<Config, Specs, Kernels> {
  /** Keyed once, before the refit, by the seed that it was asked with. */
  readonly random: Random;
  /** For work on whole matrices; a refit that uses it is an async generator. */
  readonly device: Device;
  /** Scratch memory of the asked size, until the refit ends or is left off. */
  scratch(bytes: number): WritableAddress;
}

/**
 * Reading. What is optional declares a capability by being there; it may depend on the configuration. Obligations:
 * 1. Nothing is written but `out` and scratch; rows are never made.
 * 2. `NO_ROW` is normal: a neutral score, never an error. Every score is finite.
 * 3. A score depends on what is asked about (query, item, session), the item and the tables alone, not on which other
 *    items are asked.
 * 4. Every number read from a table may mix neighbouring events: what is used as a length or a row is clamped.
 */
export interface Scorer {
  /**
   * Scores items for ranking, higher is better. `spans` holds `spanCount` pairs (from, to) of item rows; the scores of
   * all items of all spans go to `out`, one f32 each, in that order. -1e30: nothing can be said of an item.
   */
  score(query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): void;
  /** The rating expected of a user for an item, on the scale 1..5, unclipped. Either row may be `NO_ROW`. */
  predict?(query: Query, item: number): number;
  /** Further rankings by name, in lower case: for models that have this one as an input. `spans` and `out` are as in `score`. */
  readonly heads?: Readonly<Record<string, Scorer['score']>>;
  /**
   * "More like this": scores items by how alike they are to `item`, a row that exists or `NO_ROW`; higher is more alike.
   * `spans` and `out` are as in `score`. What `item` itself scores is not looked at.
   */
  similar?(item: number, spans: Uint32Array, spanCount: number, out: WritableAddress): void;
  /** Ranks for someone unknown by what they looked at; `spans` and `out` are as in `score`. */
  session?(session: Session, spans: Uint32Array, spanCount: number, out: WritableAddress): void;
  /** What was found of drift in the model's errors, the last first: at most `DRIFTS_KEPT`. */
  drifts?(): readonly Drift[];
  /** Where items are, for lists whose items differ. */
  readonly vectors?: ItemVectors;
  /**
   * What `score` multiplies, where it does: many lists at once may then be computed as a product of matrices, on a device.
   * The products are what `score` gives, within 1e-4 of the larger of 1 and that score.
   */
  readonly factors?: Factors;
  /** How lists of users are drawn, where the model explores. */
  readonly explores?: Exploration;
  /**
   * What adds up to the score of an item that exists, the greatest share (absolute value) first. Every item named is
   * rated by the user, and named once, as is every term. The values sum to what `score` gives, within 1e-4 of the larger
   * of 1 and that score.
   */
  explain?(query: Query, item: number): readonly Contribution[];
  /**
   * Scores as `score` would if the user took back the ratings of `rated`, rows of items, at most `WITHOUT_MAX`; exact for
   * items that the user has not rated, as far as retractions are. Asked with `explain`: which few ratings hold an item up.
   */
  without?(query: Query, rated: Uint32Array, spans: Uint32Array, spanCount: number, out: WritableAddress): void;
}

/**
 * Writing. Obligations:
 * 1. The same events give the same bytes: no clock, `Math.random`, I/O or promises, and no `Math.exp`, `log`, `pow` or
 *    other function that engines compute differently.
 * 2. Only rows of the event's user and item change, the model's row, and rows of `sampled` tables and pools that `touch`
 *    names. A retraction makes no rows.
 */
export interface Learner {
  /** Learns a first rating or an edit (`event.previous` is defined). */
  learn(event: RatingEvent): void;
  /** Takes a rating back: `event.value` is what was learned. It is no longer in `history`. */
  retract?(event: RatingEvent): void;
  /** Learns an event of another kind than a rating. It is not yet in `events`. For plugins that say `learnsEvents`. */
  learnEvent?(event: KindEvent): void;
  /** Takes an event back: `event.weight` is what was learned. In `events` it has weight 0, or is gone. */
  retractEvent?(event: KindEvent): void;
}

/** A feature of users or items that a plugin reads when the deployment has it. */
export interface FeatureSpec {
  readonly of: 'user' | 'item';
  readonly kind: 'vector' | 'attributes';
  /** The name under which the catalogue has it. */
  readonly name: string;
}

declare const KERNELS: unique symbol;

/**
 * A WebAssembly module over the shared memory, with the types of what it exports. It is built from AssemblyScript
 * (`kernels.as.ts`), imports `env.memory` and has no static data of its own.
 */
export interface KernelModule<Kernels> {
  readonly url: URL;
  readonly [KERNELS]?: Kernels;
}

/** Names a plugin's compiled kernels and says what they export. */
export const kernelModule = <Kernels>(url: URL): KernelModule<Kernels> => ({ url });

/** What retracting a rating undoes: all it did, the larger part of it, or nothing. */
export type RetractPromise = 'exact' | 'approximate' | 'none';

export interface Plugin<
  Config extends { seed: number } = { seed: number },
  Specs extends TableSpecs = TableSpecs,
  Kernels = unknown,
> {
  /** Lower case, as its folder. */
  readonly name: string;
  /** One sentence: what it is and when to use it. */
  readonly summary: string;
  /** Raised when tables change their meaning, so that old checkpoints are not misread. */
  readonly stateVersion: number;
  /** Validation, defaults, documentation and JSON Schema of the configuration, in one. */
  readonly config: z.ZodType<Config>;
  readonly tables: (config: Config) => Specs;
  /** The plugin's own kernels: `kernelModule<MyKernels>(new URL('./kernels.wasm', import.meta.url))`. */
  readonly kernels?: KernelModule<Kernels>;
  readonly features?: readonly FeatureSpec[];
  /** Other models that this one has as inputs: by name, or with what it asks of them. It need not name any; one may come twice. */
  readonly inputs?: (config: Config) => readonly (string | InputSpec)[];
  readonly retracts: RetractPromise;
  /** Whether it learns from events of other kinds than ratings, which may depend on the configuration: its learner then has `learnEvent`. */
  readonly learnsEvents?: boolean | ((config: Config) => boolean);
  /** Names of the kinds of events that it is set to learn: they have to be configured, and none of them as an exposure. */
  readonly learnsKinds?: (config: Config) => readonly string[];
  /** True when its ranking needs no known user, so that it can answer for strangers. */
  readonly ranksStrangers?: boolean;
  readonly scorer: (context: ScoreContext<Config, Specs, Kernels>) => Scorer;
  readonly learner: (context: LearnContext<Config, Specs, Kernels>) => Learner;
  /**
   * Trains the model anew on all live ratings, starting from the tables as they are; the learner goes on from what it
   * leaves. Yields the share that is done (0 .. 1, never less than before), every 10 to 50 ms of work. Obligations:
   * 1. The same tables, history and seed give the same bytes on the device `cpu`, and nearly the same on others; what
   *    obligation 1 of a learner forbids is forbidden here, but for promises: a refit may await its device.
   * 2. Every row may be written; none is made, but those of pools.
   * 3. A row of `history` whose weight is 0 is nobody's: its user and item are not to be read.
   * 4. It may be left off after any yield: the tables are then a model that predicts and learns.
   */
  readonly refit?: (context: RefitContext<Config, Specs, Kernels>) => Iterable<number> | AsyncIterable<number>;
  /**
   * What its columns mean when models of it are fused; or, in words that continue "since", why they are not: "its pairs …".
   * Left out: they are not.
   */
  readonly fusion?: (config: Config) => Fusion<SettleContext<Config, Specs, Kernels>> | string;
  /**
   * The settings that a search tries, unless it is told which, for a model of this configuration: those that matter most to
   * what is to become better, and change nothing else, between values that are sensible for any data. None changes `inputs`.
   * Left out, or empty: none is recommended.
   */
  readonly tuning?: (config: Config, aim: Aim) => SearchSpace;
}

/** Whether a model of a plugin learns from events of other kinds than ratings. */
export function learnsEvents<Config extends { seed: number }>(
  { learnsEvents: says = false }: Pick<Plugin<Config>, 'learnsEvents'>,
  config: Config,
): boolean {
  return typeof says === 'function' ? says(config) : says;
}

/** Gives a plugin's definition its types. A plugin's module exports it as `default`. */
export function definePlugin<Config extends { seed: number }, Specs extends TableSpecs, Kernels>(
  plugin: Plugin<Config, Specs, Kernels>,
): Plugin<Config, Specs, Kernels> {
  return plugin;
}

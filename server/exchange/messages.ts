import type { Drift } from '../../plugins/contract/index.ts';
import type { FusionPeriod } from '../config/fusion-period.ts';
import type { PlainError } from '../errors.ts';
import type { RingDescriptor } from '../memory/ring.ts';
import type { WorldDescriptor, WorldHashes } from '../memory/world.ts';
import type { CohortDescriptor } from '../models/cohort-descriptor.ts';
import type { ModelDescriptor } from '../models/model.ts';
import type { ModelSpec } from '../models/model-spec.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import type { Saved } from '../store/checkpoints/save.ts';
import type { LoadedModel, Promotion, Scenario } from '../store/control.ts';
import type { Deployment } from '../store/deployment.ts';
import type { Experiment, WantedExperiment } from '../store/experiment.ts';
import type { Held } from '../store/held.ts';
import type { Change as ModelChange } from '../store/history.ts';

/** What serving threads and the learner say to each other. */

/** Kinds of messages on the ring to the learner. */
export const ASK = {
  /** The payload is a RateRequest as it arrived. */
  rate: 1,
  /** The same, and the answer is preceded by `ANSWER.timings`. */
  tracedRate: 2,
  /** The payload is an UpsertItemsRequest, whose fields were checked. */
  items: 3,
  /** The payload is an UpsertUsersRequest, whose fields were checked. */
  users: 4,
  /** The payload is a `Change` in JSON. */
  change: 5,
  /** The payload is that of a record of exposures. It goes with the ratings around it. */
  exposures: 6,
} as const;

/** What is changed by a call. */
export type Change = Decision | Deletion | Forget | ForgetRequests | Seal;

/** What is decided of models and scenarios. */
export type Decision =
  | { readonly type: 'default'; readonly name: string }
  | { readonly type: 'unload'; readonly name: string }
  /** A model is to be loaded: if there is room for it, its tables are made, for another thread to fill. */
  | { readonly type: 'admit'; readonly spec: ModelSpec; readonly validateOnly: boolean }
  | LoadChange
  /** The same of a candidate for the place of a model that serves: its next version, or an earlier one. */
  | {
      readonly type: 'admitVersion';
      readonly name: string;
      readonly version: string;
      /** Absent: those of the version that serves. */
      readonly config?: ModelSpec['config'] | undefined;
      readonly plugin?: string | undefined;
    }
  | PromoteChange
  /** When the server fuses a model by itself; null: never. */
  | { readonly type: 'period'; readonly name: string; readonly fuse: FusionPeriod | null }
  /** Whether a model answers only who names it. */
  | { readonly type: 'shadow'; readonly name: string; readonly shadow: boolean }
  /** A change of a model came to nothing: for its history. */
  | { readonly type: 'declined'; readonly name: string; readonly change: ModelChange }
  /** The tables of the version that served before are given back; nobody reads them any more. */
  | { readonly type: 'retire'; readonly name: string }
  /** A version that is kept, and does not serve, is kept no more. */
  | { readonly type: 'dropVersion'; readonly name: string; readonly version: string }
  /** What isolated arms held that are no more is given back; nobody reads these any more. */
  | { readonly type: 'retireCohorts'; readonly keys: readonly string[] }
  /** The tables of a model that will not join are given back; nobody writes them any more. */
  | { readonly type: 'discard'; readonly name: string }
  | { readonly type: 'scenario'; readonly name: string; readonly scenario: Scenario | null }
  | ExperimentChange
  /** The run of the server before this one: see `Control`. */
  | { readonly type: 'crashed'; readonly run: number; readonly lost: number };

/** What is decided of experiments. */
export type ExperimentChange = {
  readonly type: 'experiment';
  readonly name: string;
  readonly validateOnly?: boolean;
} & (
  | { readonly how: 'create'; readonly wanted: WantedExperiment }
  | { readonly how: 'update'; readonly wanted: WantedExperiment; readonly fields: readonly (keyof WantedExperiment)[] }
  /** The arms of an isolated one get their worlds, at its start. */
  | { readonly how: 'isolate' }
  | { readonly how: 'stop'; readonly reason: string }
  /** The model of this arm is the default from here on, in the place of that which it was judged against. */
  | { readonly how: 'promote'; readonly arm: string; readonly over: string; readonly reason: string }
  | { readonly how: 'stopArm'; readonly arm: string; readonly reason: string }
  /** Of the shares that its arms have. */
  | { readonly how: 'weigh'; readonly weights: readonly number[] }
  | { readonly how: 'drop' }
);

/** Items that shall not be recommended again. */
export interface Deletion {
  readonly type: 'itemsDeleted';
  readonly itemIds: readonly string[];
  readonly validateOnly: boolean;
}

/** Someone is forgotten, of whom next to nothing is live any more. */
export interface Forget {
  readonly type: 'forget';
  readonly userId: string;
  /** The name of the note that has the id. */
  readonly note: string;
}

/** The requests of these records are remembered no more. */
export interface ForgetRequests {
  readonly type: 'forgetRequests';
  readonly requests: readonly number[];
  /** And those, of records that the journal has no more, whose id has this one of a user in it. */
  readonly userId?: string;
  /** Only to tell which they are. */
  readonly validateOnly?: boolean;
}

/** The most that one such ask forgets. */
export const REQUESTS_FORGOTTEN_MAX = 10_000;

/** The last file of the journal is ended, so that it can be rewritten. */
export interface Seal {
  readonly type: 'seal';
}

/** A model that was admitted, and that another thread has taught, joins. */
export interface LoadChange {
  readonly type: 'load';
  readonly name: string;
  readonly shadow: boolean;
  /** The address of the rendezvous with the thread that makes it. */
  readonly rendezvous: number;
  /** The first record that it learned as it came; 1: it learned all. */
  readonly exactFrom: number;
}

/** A version that was admitted, and that another thread has taught, takes the place of the one that serves. */
export interface PromoteChange {
  readonly type: 'promote';
  readonly name: string;
  /** What made it: see `ModelVersion`. */
  readonly origin: string;
  /** Its file has it as of this record. */
  readonly from: number;
  /** What is used up of the guard's margin then. */
  readonly spent: number;
  /** As in `ModelVersion`. */
  readonly held: Held | undefined;
  /** The fusion period of the model from then on, null for none; absent: as it was. */
  readonly fuse?: FusionPeriod | null | undefined;
  readonly rendezvous: number;
  /** How it came to that. */
  readonly change: ModelChange;
}

/** What was forgotten of someone. */
export interface Forgotten {
  /** The row; -1 of someone who had none. */
  readonly user: number;
  readonly counts: Readonly<Record<'interactions' | 'features' | 'ids', number>>;
}

/** The answer to everything but ratings. */
export interface ChangeAnswer {
  /** The revision that holds the change; "" when there is none. */
  readonly revision: string;
  /** How many items or users were not known before, and how many were. */
  readonly created?: number;
  readonly updated?: number;
  /** How many items are deleted. */
  readonly deleted?: number;
  /** Where the tables of a model are that was admitted. */
  readonly descriptor?: ModelDescriptor;
  /** When a model was loaded, in milliseconds since 1970. */
  readonly loadedMs?: number;
  /** What is decided of a model for which a version was admitted. */
  readonly model?: LoadedModel;
  readonly promotion?: Promotion;
  /** As it is now; null: it is kept no more. */
  readonly experiment?: Experiment | null;
  /** The share of its units that moved. */
  readonly movedShare?: number;
  /** Bytes that the isolated arms hold which this change makes, and where they are. */
  readonly cohortBytes?: number;
  readonly cohorts?: readonly CohortDescriptor[];
  readonly forgotten?: Forgotten;
  /** Records whose requests were remembered, and are no more. */
  readonly requestsForgotten?: readonly number[];
  /** The files of the journal up to here are full. */
  readonly sealedTo?: number;
}

/** Kinds of messages on a ring back; `call` is that of the ask. Answers come in the order of the asks. */
export const ANSWER = {
  /** The payload is a RateResponse or, for all other asks, a `ChangeAnswer` in JSON. */
  accepted: 1,
  /** The payload is a `PlainError` in JSON. */
  refused: 2,
  /** The payload is `Timings` in JSON; the answer itself follows. */
  timings: 3,
} as const;

/** When the steps of one rating call began and ended, in milliseconds since 1970. */
export interface Timings {
  /** Taken off the ring. */
  readonly taken: number;
  readonly appendStart: number;
  readonly appendEnd: number;
  readonly learnStart: number;
  readonly learnEnd: number;
  /** What each model did meanwhile, in the order in which they began. */
  readonly models: readonly {
    readonly model: string;
    readonly start: number;
    readonly end: number;
    /** Models take turns, rating by rating. */
    readonly busyMs: number;
  }[];
}

/** Where the rings of one serving thread lie. */
export interface RingPair {
  readonly asks: RingDescriptor;
  readonly answers: RingDescriptor;
}

/** The learner's state as far as others need it: posted when it changes. */
export type LearnerNews =
  | { readonly type: 'replaying'; readonly revision: number; readonly lastRevision: number }
  /** What begins now, for the log. */
  | { readonly type: 'phase'; readonly phase: 'replay' }
  | {
      readonly type: 'ready';
      readonly world: WorldDescriptor;
      readonly models: readonly ModelDescriptor[];
      /** Models that the journal has and this start could not make. */
      readonly failed: readonly FailedModel[];
      readonly deployment: Deployment;
      readonly cohorts: readonly CohortDescriptor[];
      readonly replayedMs: number;
      /** The checkpoint that the start began from. */
      readonly restored: Saved | undefined;
      /** Records up to this one nobody has read yet; 0: all are as they were written. */
      readonly unread: number;
    }
  /** What was decided by records whose outcome was unknown for a while. */
  | { readonly type: 'decided'; readonly deployment: Deployment; readonly cohorts: readonly CohortDescriptor[] }
  /** Whether ratings can be made durable now. */
  | { readonly type: 'writable'; readonly writable: boolean; readonly why: string }
  /** A request failed for a reason that nobody expected; it was answered INTERNAL. */
  | { readonly type: 'fault'; readonly stack: string }
  | { readonly type: 'drifted'; readonly model: string; readonly drift: Drift; readonly cohort: string | undefined }
  | { readonly type: 'quarantined'; readonly model: string; readonly why: string; readonly cohort: string | undefined }
  /** The answer to an ask, or why there is none. */
  | { readonly type: 'answer'; readonly ask: number; readonly answer: StateHashes | Capture }
  | { readonly type: 'refusal'; readonly ask: number; readonly error: PlainError }
  /** From here on nothing is added to the journal, as was asked. */
  | { readonly type: 'halted' }
  /** Old files of the journal were removed. */
  | { readonly type: 'dropped'; readonly links: number; readonly firstRevision: number }
  /** A checkpoint that cannot be used; an earlier one, or the whole journal, serves. */
  | { readonly type: 'damaged'; readonly why: string }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: PlainError; readonly stack: string };

/** A model that could not be made, and why. */
export interface FailedModel extends LoadedModel {
  readonly why: string;
}

/** What is asked of the learner rarely, by message. */
export type LearnerAsk =
  /** `cohort`: of which world; "": the main one. */
  | { readonly type: 'hashes'; readonly ask: number; readonly model: string; readonly cohort: string }
  /** The state is to be captured for a checkpoint; `whole`: all of it. */
  | { readonly type: 'capture'; readonly ask: number; readonly whole: boolean }
  /** What was captured is saved, or will not be. */
  | { readonly type: 'captureEnded'; readonly isSaved: boolean }
  /** Two checkpoints cover the journal up to a revision: what need not be kept of it may go. */
  | { readonly type: 'retain'; readonly covered: number }
  /** The journal is damaged: it takes no more. */
  | { readonly type: 'halt'; readonly error: PlainError }
  /** Nobody has called for a while: what is not needed may be given back. */
  | { readonly type: 'shrink' }
  | { readonly type: 'stop' };

/** Hashes over every byte of one model and of what all models share, at one revision. */
export interface StateHashes {
  readonly revision: number;
  /** Of the model: the one that serves at that revision. */
  readonly version: string;
  /** Over all that follows. */
  readonly all: string;
  readonly model: string;
  readonly tables: Readonly<Record<string, string>>;
  readonly world: WorldHashes;
}

import type { FusionPeriod } from '../config/fusion-period.ts';
import type { KindMeaning } from '../memory/kinds.ts';
import type { Experiment } from './experiment.ts';
import type { Held } from './held.ts';
import type { Change, HistoryEntry } from './history.ts';
import { encodeRecord } from './record.ts';
import type { StoreName } from './stretches.ts';

/** Records that are no ratings: what was decided, as JSON. The journal's first record is one, with all settings. */
export type Control =
  /** What these settings are from here on; those that are left out stay. */
  | ({ readonly type: 'settings' } & Partial<Settings>)
  /** A scenario as it shall be; null: it is gone. */
  | { readonly type: 'scenario'; readonly name: string; readonly scenario: Scenario | null }
  /** An experiment as it is from here on; null: it is kept no more. `defaultModel`: that of the arm that it was promoted for. */
  | {
      readonly type: 'experiment';
      readonly name: string;
      readonly experiment: Experiment | null;
      readonly defaultModel?: string;
    }
  /** A run of the server ended by a crash: so many of its exposures may be lost, of experiments that have not ended. */
  | { readonly type: 'crashed'; readonly run: number; readonly lost: number }
  /** Items that shall not be recommended again. */
  | { readonly type: 'itemsDeleted'; readonly itemIds: readonly string[] }
  /**
   * Someone is forgotten: the row of that user (-1: they had none), never the id, and the name of the note that has it until
   * all is done. What they rated was taken back before; what came since goes now.
   */
  | {
      readonly type: 'forgotten';
      readonly user: number;
      readonly note: string;
      /** Rows of theirs among the units of experiments, and the numbers of their answers that are kept; absent: none. */
      readonly units?: readonly number[];
      readonly answers?: readonly number[];
    }
  /** The requests of these records are not remembered any more: they named someone who is forgotten. */
  | { readonly type: 'requestsForgotten'; readonly requests: readonly number[] }
  /** A version of a model takes the place of the one that served. */
  | Promotion
  /** A change of a model came to nothing. */
  | { readonly type: 'declined'; readonly model: string; readonly loadedMs: number; readonly change: Change }
  /** The disk took records again after a failure. */
  | { readonly type: 'resumed' };

/** What the journal decides, whatever the configuration of a later start leaves out. */
export interface Settings {
  /** What ratings are checked by, and mapped to 1..5. */
  readonly rating: { readonly min: number; readonly max: number };
  readonly evaluation: { readonly rankEvery: number; readonly window: number };
  /** All models, in the order in which they were loaded. */
  readonly models: readonly LoadedModel[];
  readonly defaultModel: string;
  /** What kinds of events mean, by their name. */
  readonly kinds: Readonly<Record<string, KindMeaning>>;
  /** Which store it was after which record, in their order; absent: of an older version, until the next start. */
  readonly stores?: readonly StoreName[];
  /** What the last start was configured with, by the path of the setting: what the next one is compared with. */
  readonly configured: Readonly<Record<string, unknown>>;
}

/** A model as it was asked for. */
export interface ModelChoice {
  readonly name: string;
  /** The module specifier of its plugin. */
  readonly plugin: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** When the server fuses it by itself; absent: never. */
  readonly fuse?: FusionPeriod | undefined;
}

/** `plugin` and `config`: those of the version that serves. */
export interface LoadedModel extends ModelChoice {
  /** When that was decided, in milliseconds since 1970. */
  readonly loadedMs: number;
  /** Its versions that are kept, the one that serves last; absent: the first one alone. */
  readonly versions?: readonly ModelVersion[];
  /** The number of the latest version that was made; absent: 1. */
  readonly versionsMade?: number;
  /** The first revision that it learned as it came; before, it learned what was live. Absent: from the first on. */
  readonly exactFrom?: number;
  /** What was done with it, the latest last; absent: nothing yet. */
  readonly history?: readonly HistoryEntry[];
  /** The settings of its first version; absent: `config`. */
  readonly begunAs?: ModelChoice['config'];
  /** The plugin of its first version; absent: `plugin`. */
  readonly begunBy?: string;
  /** It learns and is measured, and answers only who names it; absent: it answers. */
  readonly shadow?: boolean;
}

/** One state of a model among others. */
export interface ModelVersion {
  /** "1", "2", …: no two of a model have the same. */
  readonly version: string;
  /** What made it: "load", "fuse:refit", "rollback". */
  readonly origin: string;
  /** When it began to serve, in milliseconds since 1970. */
  readonly createdMs: number;
  /** The record that made it serve; 0 for the first version. */
  readonly revision: number;
  /** It learned the records after this one as they came; up to it, it is what its file says. 0: there is none. */
  readonly from: number;
  /** What promotions had used up of the guard's margin when it began to serve, as a part of the live model's loss. */
  readonly spent: number;
  /** Its settings; absent: those of the model. */
  readonly config?: ModelChoice['config'];
  /** Its plugin, where several models became one; absent: that of the model. */
  readonly plugin?: string;
  /** The fusion period that the model had while it served, null for none; absent: that of the model. */
  readonly fuse?: FusionPeriod | null;
  /** What came to it by files; absent: nothing. */
  readonly held?: Held;
}

/**
 * `from`, and the records after it, make the version: its tables as of then are in its file. `config` and `plugin` are
 * there where one of them is another than that of the version before, and so is `fuse`.
 */
export interface Promotion extends Omit<ModelVersion, 'revision'> {
  readonly type: 'promoted';
  readonly model: string;
  /** Says which model of that name. */
  readonly loadedMs: number;
  /** How it came to that; absent in records of earlier versions of the server. */
  readonly change?: Change;
}

/** A named bundle of defaults for recommendations. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** "": the default model. */
  readonly model: string;
  readonly filter: string;
  readonly diversity: number;
  readonly excludeItemIds: readonly string[];
  readonly includeSeen: boolean;
  /** 0: the default of the call. */
  readonly pageSize: number;
}

/** The versions of a model that are kept; the one that serves is the last. */
export function versionsOf({
  versions,
  loadedMs,
}: Pick<LoadedModel, 'versions' | 'loadedMs'>): readonly ModelVersion[] {
  return versions ?? [{ version: '1', origin: 'load', createdMs: loadedMs, revision: 0, from: 0, spent: 0 }];
}

/** The one that serves. */
export function versionOf(model: Pick<LoadedModel, 'versions' | 'loadedMs'>): ModelVersion {
  return versionsOf(model).at(-1) as ModelVersion;
}

/** The settings of a version that is kept. */
export function settingsOf(model: LoadedModel, { config }: ModelVersion): ModelChoice['config'] {
  return config ?? model.config;
}

/** The plugin of a version that is kept. */
export function pluginOf(model: LoadedModel, { plugin }: ModelVersion): string {
  return plugin ?? model.plugin;
}

/** A model as it was asked for, whatever serves by now. */
export function begunOf({ name, plugin, config, begunBy = plugin, begunAs = config }: LoadedModel): ModelChoice {
  return { name, plugin: begunBy, config: begunAs };
}

/** What the next version is called: like none before, also where that is not kept. */
export function nextVersion({ versionsMade = 1 }: LoadedModel): string {
  return String(versionsMade + 1);
}

/** A control record that is decided now. */
export function encodeControl(control: Control): Uint8Array {
  const payload = Buffer.from(JSON.stringify(control));
  return encodeRecord({ type: 'control', receivedAtMs: Date.now(), namespace: '', payload });
}

export function decodeControl(payload: Uint8Array): Control {
  const control = JSON.parse(Buffer.from(payload).toString()) as Partial<Control> | null;
  if (typeof control?.type !== 'string') throw new TypeError('a control record says what it is about');
  return control as Control;
}

import type { KindMeaning } from '../memory/kinds.ts';
import type { Held } from './held.ts';
import { encodeRecord } from './record.ts';
import type { StoreName } from './stretches.ts';

/** Records that are no ratings: what was decided, as JSON. The journal's first record is one, with all settings. */
export type Control =
  /** What these settings are from here on; those that are left out stay. */
  | ({ readonly type: 'settings' } & Partial<Settings>)
  /** A scenario as it shall be; null: it is gone. */
  | { readonly type: 'scenario'; readonly name: string; readonly scenario: Scenario | null }
  /** Items that shall not be recommended again. */
  | { readonly type: 'itemsDeleted'; readonly itemIds: readonly string[] }
  /**
   * Someone is forgotten: the row of that user (-1: they had none), never the id, and the name of the note that has it until
   * all is done. What they rated was taken back before; what came since goes now.
   */
  | { readonly type: 'forgotten'; readonly user: number; readonly note: string }
  /** The requests of these records are not remembered any more: they named someone who is forgotten. */
  | { readonly type: 'requestsForgotten'; readonly requests: readonly number[] }
  /** A version of a model takes the place of the one that served. */
  | Promotion
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
}

export interface LoadedModel extends ModelChoice {
  /** When that was decided, in milliseconds since 1970. */
  readonly loadedMs: number;
  /** Its versions that are kept, the one that serves last; absent: the first one alone. */
  readonly versions?: readonly ModelVersion[];
  /** The number of the latest version that was made; absent: 1. */
  readonly versionsMade?: number;
  /** The first revision that it learned as it came; before, it learned what was live. Absent: from the first on. */
  readonly exactFrom?: number;
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
  /** What came to it by files; absent: nothing. */
  readonly held?: Held;
}

/** `from`, and the records after it, make the version: its tables as of then are in its file. */
export interface Promotion extends Omit<ModelVersion, 'revision'> {
  readonly type: 'promoted';
  readonly model: string;
  /** Says which model of that name. */
  readonly loadedMs: number;
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

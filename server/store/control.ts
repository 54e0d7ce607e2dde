import type { KindMeaning } from '../memory/kinds.ts';
import { encodeRecord } from './record.ts';

/** Records that are no ratings: what was decided, as JSON. The journal's first record is one, with all settings. */
export type Control =
  /** What these settings are from here on; those that are left out stay. */
  | ({ readonly type: 'settings' } & Partial<Settings>)
  /** A scenario as it shall be; null: it is gone. */
  | { readonly type: 'scenario'; readonly name: string; readonly scenario: Scenario | null }
  /** Items that shall not be recommended again. */
  | { readonly type: 'itemsDeleted'; readonly itemIds: readonly string[] }
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
  /** The first revision that it learned as it came; before, it learned what was live. Absent: from the first on. */
  readonly exactFrom?: number;
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

/** A control record that is decided now. */
export function encodeControl(control: Control): Uint8Array {
  const payload = Buffer.from(JSON.stringify(control));
  return encodeRecord({ type: 'control', receivedAtMs: Date.now(), namespace: '', payload });
}

export function decodeControl(payload: Uint8Array): Control {
  return JSON.parse(Buffer.from(payload).toString());
}

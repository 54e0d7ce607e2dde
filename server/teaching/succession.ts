import type { WritableModel } from '../models/writable-model.ts';
import { decodeControl, type LoadedModel, type Promotion } from '../store/control.ts';
import type { Journal } from '../store/journal.ts';
import { decodeRecord, recordTypeOf } from '../store/record.ts';
import { ofRecord } from '../store/record-contents.ts';

/**
 * The versions of a model that took its place one after the other, while the journal is learned again. Who has the model as
 * an input learned every record with the version that served then.
 */

/** The time of a version in the place of its model. */
export interface Tenure {
  readonly version: string;
  /** It learns the records after this one; up to it, it is what its file says. 0: it has learned all from the first on. */
  readonly from: number;
  /** The record from which on others see it; 0: from the first on. */
  readonly since: number;
  /** Its settings. */
  readonly config: LoadedModel['config'];
  readonly plugin: string;
}

interface Holder {
  readonly since: number;
  /** Undefined: it cannot be brought back. */
  readonly model: WritableModel | undefined;
}

export class Succession {
  readonly #coming: Tenure[];
  readonly #bring: (tenure: Tenure) => WritableModel | undefined;
  readonly #leave: (model: WritableModel) => void;
  #holders: readonly Holder[] = [];

  /** `bring` makes a version as it was at its `from`; `leave` gives back one whose time is over. */
  constructor(
    tenures: readonly Tenure[],
    bring: (tenure: Tenure) => WritableModel | undefined,
    leave: (model: WritableModel) => void,
  ) {
    this.#coming = tenures.toSorted((a, b) => a.from - b.from);
    this.#bring = bring;
    this.#leave = leave;
  }

  /** Those that learn: the one that others see, and before its successor takes its place both of them. */
  get models(): WritableModel[] {
    return this.#holders.flatMap(({ model }) => model ?? []);
  }

  /** Everything up to `revision` is learned. True when other models learn from here on. */
  reach(revision: number): boolean {
    const before = this.#holders;
    while (this.#coming.length > 0 && this.#coming[0].from <= revision) {
      const tenure = this.#coming.shift() as Tenure;
      const holder = { since: tenure.since, model: this.#bring(tenure) };
      this.#holders = [...this.#holders, holder].sort((a, b) => a.since - b.since);
    }
    while (this.#holders.length > 1 && this.#holders[1].since <= revision) {
      const [{ model }, ...others] = this.#holders;
      if (model) this.#leave(model);
      this.#holders = others;
    }
    return this.#holders !== before;
  }
}

/**
 * The promotions after a record, which the journal still has: tenures by the models that they are of; `config`: the settings
 * of such a model at that record, `plugin` its plugin.
 */
export function promotionsAfter(
  journal: Pick<Journal, 'firstRevision' | 'read'>,
  revision: number,
): (model: Pick<LoadedModel, 'name' | 'loadedMs' | 'config' | 'plugin'>) => Tenure[] {
  const found: (Promotion & { readonly since: number })[] = [];
  for (const { revision: since, record } of journal.read(Math.max(revision + 1, journal.firstRevision))) {
    if (recordTypeOf(record) !== 'control') continue;
    const { payload } = decodeRecord(record, since);
    const control = ofRecord(since, () => decodeControl(payload));
    if (control.type === 'promoted') found.push({ ...control, since });
  }
  return ({ name, loadedMs, ...begun }) => {
    let { config, plugin } = begun;
    return found
      .filter((promotion) => promotion.model === name && promotion.loadedMs === loadedMs)
      .map(({ version, from, since, ...own }) => {
        config = own.config ?? config;
        plugin = own.plugin ?? plugin;
        return { version, from, since, config, plugin };
      });
  };
}

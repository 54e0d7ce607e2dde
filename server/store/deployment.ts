import { AccreteError } from '../errors.ts';
import {
  type Control,
  decodeControl,
  type LoadedModel,
  type Promotion,
  type Scenario,
  type Settings,
  versionsOf,
} from './control.ts';
import type { Journal } from './journal.ts';
import { decodeRecord, recordTypeOf } from './record.ts';
import { ofRecord } from './record-contents.ts';

/** What the control records of a journal come to. */
export interface Deployment extends Settings {
  readonly scenarios: ReadonlyMap<string, Scenario>;
}

/** The same of a journal that may not have begun, or that an older version began. */
export type Decided = Partial<Settings> & Pick<Deployment, 'scenarios'>;

/** Versions of a model that can be brought back, the one that serves among them. */
const VERSIONS_KEPT = 4;

/** What is decided after one more record, number `revision`. */
export function decide<Before extends Decided>(before: Before, control: Control, revision = 0): Before {
  switch (control.type) {
    case 'settings': {
      const { type: _, ...settings } = control;
      return { ...before, ...settings };
    }
    case 'scenario': {
      const scenarios = new Map(before.scenarios);
      if (control.scenario) scenarios.set(control.name, control.scenario);
      else scenarios.delete(control.name);
      return { ...before, scenarios };
    }
    case 'promoted':
      return {
        ...before,
        models: before.models?.map((model) =>
          model.name === control.model && model.loadedMs === control.loadedMs
            ? promote(model, control, revision)
            : model,
        ),
      };
    default:
      return before;
  }
}

/** The version that serves now is the last in the list, also one that served before. */
export function promote(
  model: LoadedModel,
  { version, origin, createdMs, from, spent }: Promotion,
  revision: number,
): LoadedModel {
  const others = versionsOf(model).filter((each) => each.version !== version);
  const versions = [...others, { version, origin, createdMs, revision, from }];
  return { ...model, versions: versions.slice(-VERSIONS_KEPT), spent };
}

/** Throws MODEL_IN_USE for the default model, and for one that a scenario answers by. */
export function requireUnused(
  name: string,
  { defaultModel, scenarios }: Pick<Deployment, 'defaultModel' | 'scenarios'>,
) {
  const scenario = [...scenarios.values()].find(({ model }) => model === name);
  if (name !== defaultModel && !scenario) return;
  const why = scenario
    ? `scenario ${scenario.name} answers by it: change or delete that one first`
    : 'it is the default model: set another one first';
  throw new AccreteError('MODEL_IN_USE', `Model ${name} cannot be unloaded: ${why}`, { metadata: { model: name } });
}

/** What was decided `before`, by a checkpoint at `revision`, and by the control records after it. */
export function readDecided(
  journal: Journal,
  before?: { readonly revision: number; readonly decided: Decided },
): Decided {
  let decided: Decided = before?.decided ?? { scenarios: new Map() };
  for (const { revision, record } of journal.read(before ? before.revision + 1 : journal.firstRevision)) {
    if (recordTypeOf(record) !== 'control') continue;
    const { payload } = decodeRecord(record, revision);
    decided = decide(
      decided,
      ofRecord(revision, () => decodeControl(payload)),
      revision,
    );
  }
  return decided;
}

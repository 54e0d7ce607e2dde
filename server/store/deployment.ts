import { AccreteError } from '../errors.ts';
import type { Control, Scenario, Settings } from './control.ts';
import { decodeControl } from './control.ts';
import type { Journal } from './journal.ts';
import { decodeRecord, recordTypeOf } from './record.ts';
import { ofRecord } from './record-contents.ts';

/** What the control records of a journal come to. */
export interface Deployment extends Settings {
  readonly scenarios: ReadonlyMap<string, Scenario>;
}

/** The same of a journal that may not have begun, or that an older version began. */
export type Decided = Partial<Settings> & Pick<Deployment, 'scenarios'>;

/** What is decided after one more record. */
export function decide<Before extends Decided>(before: Before, control: Control): Before {
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
    default:
      return before;
  }
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

/** Reads all control records of a journal. */
export function readDecided(journal: Journal): Decided {
  let decided: Decided = { scenarios: new Map() };
  for (const { revision, record } of journal.read(journal.firstRevision)) {
    if (recordTypeOf(record) !== 'control') continue;
    const { payload } = decodeRecord(record, revision);
    decided = decide(
      decided,
      ofRecord(revision, () => decodeControl(payload)),
    );
  }
  return decided;
}

import type { Control, Scenario, Settings } from './control.ts';
import { decodeControl } from './control.ts';
import type { Journal } from './journal.ts';
import { decodeRecord, recordTypeOf } from './record.ts';

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

/** Reads all control records of a journal. */
export function readDecided(journal: Journal): Decided {
  let decided: Decided = { scenarios: new Map() };
  for (const { revision, record } of journal.read(journal.firstRevision)) {
    if (recordTypeOf(record) !== 'control') continue;
    decided = decide(decided, decodeControl(decodeRecord(record, revision).payload));
  }
  return decided;
}

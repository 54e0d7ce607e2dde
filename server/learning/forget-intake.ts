import { unitKey } from '../allocation/unit-key.ts';
import { type Forget, type ForgetRequests, REQUESTS_FORGOTTEN_MAX } from '../exchange/messages.ts';
import { TextKey } from '../memory/ids.ts';
import { keyOf } from '../memory/ledger/units.ts';
import type { WritableWorld } from '../memory/world.ts';
import { encodeControl } from '../store/control.ts';
import type { Journal } from '../store/journal.ts';
import type { Examined } from './examined.ts';

/** Examines the steps of forgetting someone, each once everything before it is learned. */
export class ForgetIntake {
  readonly #world: WritableWorld;
  readonly #journal: Journal;
  readonly #key = new TextKey();

  constructor(world: WritableWorld, journal: Journal) {
    this.#world = world;
    this.#journal = journal;
  }

  /** There is a record also of someone without a row: what comes after it is of somebody new. */
  examineUser({ userId, note }: Forget): Examined {
    const { users, userFeatures, interactions, events, ledger } = this.#world;
    const user = this.#key.set(userId) ? users.find(this.#key) : -1;
    const counts = {
      interactions: user < 0 ? 0 : interactions.byUser.count(user) + events.byUser.count(user),
      features: user >= 0 && userFeatures.block(user) !== 0 ? 1 : 0,
      ids: user < 0 ? 0 : 1,
    };
    const key = keyOf(unitKey(userId));
    const units = ledger.units.rowsOf(key);
    const answers = ledger.answers.serialsOf(key, units);
    const ofExperiments = units.length + answers.length > 0 ? { units, answers } : {};
    const record = encodeControl({ type: 'forgotten', user, note, ...ofExperiments });
    return { record, forgotten: { user, counts } };
  }

  /** Whose a request was whose record is gone, only its id can tell. */
  examineRequests({ requests, userId, validateOnly = false }: ForgetRequests): Examined {
    const { requestIds } = this.#world;
    const naming = userId === undefined ? [] : requestIds.naming(userId, this.#journal.firstRevision);
    const requestsForgotten = [...requestIds.remembered(new Set(requests)), ...naming].slice(0, REQUESTS_FORGOTTEN_MAX);
    const isToWrite = !validateOnly && requestsForgotten.length > 0;
    const record = isToWrite ? encodeControl({ type: 'requestsForgotten', requests: requestsForgotten }) : undefined;
    return { record, requestsForgotten };
  }

  seal(): Examined {
    const finish = async () => {
      await this.#journal.seal();
      return { sealedTo: this.#journal.lastRevision };
    };
    return { record: undefined, finish };
  }
}

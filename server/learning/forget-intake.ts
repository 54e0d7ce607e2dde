import type { Forget } from '../exchange/messages.ts';
import { TextKey } from '../memory/ids.ts';
import type { WritableWorld } from '../memory/world.ts';
import { encodeControl } from '../store/control.ts';
import type { Journal } from '../store/journal.ts';
import type { Examined } from './examined.ts';

/** Examines that someone is to be forgotten, once everything before it is learned. */
export class ForgetIntake {
  readonly #world: WritableWorld;
  readonly #journal: Journal;
  readonly #key = new TextKey();

  constructor(world: WritableWorld, journal: Journal) {
    this.#world = world;
    this.#journal = journal;
  }

  /** Of someone who has no row nothing has to be learned; the journal's last file is ended all the same. */
  examine({ userId, requests }: Forget): Examined {
    const { users, userFeatures, interactions, events, requestIds } = this.#world;
    const user = this.#key.set(userId) ? users.find(this.#key) : -1;
    const counts = {
      interactions: user < 0 ? 0 : interactions.byUser.count(user) + events.byUser.count(user),
      requestIds: requestIds.countOf(new Set(requests)),
      features: user >= 0 && userFeatures.block(user) !== 0 ? 1 : 0,
      ids: user < 0 ? 0 : 1,
    };
    const isLearned = user >= 0 || counts.requestIds > 0;
    return {
      record: isLearned ? encodeControl({ type: 'forgotten', user, requests }) : undefined,
      finish: async () => {
        await this.#journal.seal();
        return { forgotten: { user, lastRevision: this.#journal.lastRevision, counts } };
      },
    };
  }
}

import { learnsEvents } from '../../plugins/contract/index.ts';
import { Lab, type Rating } from './lab.ts';
import { few, type Law, type Subject } from './law.ts';
import { keepsRows } from './learning.ts';
import { differences, valuesOf } from './rows.ts';
import { firstRatings, item, mixedStream, user } from './streams.ts';

const SIZE = { users: 12, items: 10, events: 120 };
/** What sums of doubles may be off by. */
const ROUNDING = 1e-9;

/** Events of known and of new users and items, two of every pair. */
function someEvents(time: number): Rating[] {
  return Array.from({ length: 48 }, (_, n) => ({
    user: user((5 * (n % 24)) % (SIZE.users + 1)),
    item: item((3 * (n % 24)) % (SIZE.items + 1)),
    kind: n % 3 === 0 ? 'buy' : 'click',
    weight: (1 + (n % 4)) / 2,
    time: time + 1000 * n,
  }));
}

/** Leaves a user and an item, and nothing else. */
const comesAndGoes = ({ user, item }: Rating) => [
  { user, item, value: 3 },
  { user, item, retract: true },
];

const lastTime = (ratings: readonly Rating[]) => ratings.at(-1)?.time ?? 0;

/** Events of other kinds than ratings. */
export const eventLaws: readonly Law[] = [
  {
    name: 'events are nothing to a model that does not learn them',
    exempts: ({ plugin, config }) => (learnsEvents(plugin, config) ? 'it learns from events' : undefined),
    violations: (subject) => {
      const { plugin, config } = subject;
      const ratings = mixedStream(9, SIZE);
      const events = someEvents(lastTime(ratings));
      // Who keeps numbers of rows is given the same ones.
      const before = keepsRows(subject) ? [...ratings, ...events].flatMap(comesAndGoes) : [];
      const alone = new Lab(plugin, config, { before }).teachAll(ratings);
      const among = new Lab(plugin, config, { before });
      for (const [n, rating] of ratings.entries()) {
        const event = events[n % events.length];
        among.teachAll([rating, { ...event, retract: n >= events.length && n % 3 === 0 }]);
      }
      const [less, more] = [alone, among].map(({ model }) => model.prequential.events);
      const counted = less === more ? [] : [`it counts ${more} events, ${less} of them ratings`];
      return few([...counted, ...differences(alone, among)]);
    },
  },
  {
    name: 'an event reaches the model that learns events',
    exempts: learnsNone,
    violations: ({ plugin, config }) => {
      const ratings = firstRatings(7, SIZE);
      const lab = new Lab(plugin, config).teachAll(ratings);
      const known = ratings.slice(0, 8).map(({ user, item }) => ({ user, item, kind: 'buy', time: lastTime(ratings) }));
      return few(
        known.flatMap((event) => {
          const before = valuesOf(lab);
          const counted = lab.model.prequential.events;
          lab.teach(event);
          const reached = valuesOf(lab) !== before && lab.model.prequential.events === counted + 1;
          return reached ? [] : [`an event of ${event.user} with ${event.item} changes nothing`];
        }),
      );
    },
  },
  {
    name: 'retracted events leave nothing where retractions are promised to be exact',
    exempts: (subject) =>
      learnsNone(subject) ?? (subject.plugin.retracts === 'exact' ? undefined : 'its retractions are not exact'),
    violations: ({ plugin, config }) => {
      const ratings = firstRatings(7, SIZE);
      const events = someEvents(lastTime(ratings));
      const never = new Lab(plugin, config).teachAll(ratings);
      const undone = new Lab(plugin, config).teachAll(ratings);
      // Some carry a value: the rating that they set goes with them, unless one of the user's own came before.
      const rated = new Set(ratings.map(({ user, item }) => `${user} ${item}`));
      const free = ({ user, item }: Rating) => !rated.has(`${user} ${item}`);
      undone.teachAll(events.map((event, n) => (n % 4 === 0 && free(event) ? { ...event, value: 4 } : event)));
      undone.teachAll(events.map((event) => ({ ...event, retract: true })));
      return few(differences(never, undone, ROUNDING));
    },
  },
];

function learnsNone({ plugin, config }: Subject): string | undefined {
  return learnsEvents(plugin, config) ? undefined : 'it does not learn from events';
}

import { Lab, type Rating } from './lab.ts';
import { few, type Law, type Subject } from './law.ts';
import { doesNotPredict } from './learning.ts';
import { differences, valuesOf } from './rows.ts';
import { firstRatings, item, user } from './streams.ts';

const SIZE = { users: 12, items: 10, events: 90 };
/** What sums of doubles may be off by. */
const ROUNDING = 1e-9;

const NEWCOMERS = [
  [user(100), item(0)],
  [user(0), item(100)],
  [user(101), item(101)],
];

/** Ratings of pairs that nobody rated; `newcomers` are users and items that nobody knows. */
function unrated(past: readonly Rating[], newcomers: readonly string[][] = []): Rating[] {
  const known = new Set(past.map(({ user, item }) => `${user} ${item}`));
  const pairs = Array.from({ length: SIZE.users * SIZE.items }, (_, n) => [user(n % SIZE.users), item(n % SIZE.items)]);
  const free = pairs.filter(([user, item]) => !known.has(`${user} ${item}`)).slice(0, 8);
  return [...free, ...newcomers].map(([user, item], n) => ({
    user,
    item,
    value: n % 2 === 0 ? 5 : 1,
    weight: 2,
    time: past.at(-1)?.time,
  }));
}

/** Corrections of what was learned. */
export const undoingLaws: readonly Law[] = [
  {
    name: 'a retraction that is promised to be exact leaves nothing',
    exempts: promisesOther('exact'),
    violations: ({ plugin, config }) => {
      const past = firstRatings(7, SIZE);
      const never = new Lab(plugin, config).teachAll(past);
      const undone = new Lab(plugin, config).teachAll(past);
      for (const rating of unrated(past, NEWCOMERS)) {
        // An edit counts once: its retraction takes back the edited rating, and no more.
        const edit = { ...rating, value: 3, weight: 0.5, time: (rating.time ?? 0) + 1_000_000 };
        undone.teachAll([rating, edit, { ...rating, retract: true }]);
      }
      return few(differences(never, undone, ROUNDING));
    },
  },
  {
    name: 'a retraction that is promised to be approximate takes back more than half',
    defaultsOnly: true,
    exempts: (subject) => promisesOther('approximate')(subject) ?? doesNotPredict(subject),
    violations: ({ plugin, config }) => {
      const past = firstRatings(7, SIZE);
      let learned = 0;
      let left = 0;
      for (const rating of unrated(past)) {
        const lab = new Lab(plugin, config).teachAll(past);
        const before = lab.predict(rating.user, rating.item);
        lab.teach(rating);
        learned += Math.abs(lab.predict(rating.user, rating.item) - before);
        lab.teach({ ...rating, retract: true });
        left += Math.abs(lab.predict(rating.user, rating.item) - before);
      }
      return left < learned / 2 ? [] : [`of ${learned} learned, ${left} is left`];
    },
  },
  {
    name: 'a retraction that is not promised changes nothing',
    exempts: promisesOther('none'),
    violations: ({ plugin, config }) => {
      const past = firstRatings(7, SIZE);
      const lab = new Lab(plugin, config).teachAll(past);
      lab.teach({ ...past[0], kind: 'click', value: undefined });
      const before = valuesOf(lab);
      lab.teach({ ...past[0], retract: true });
      lab.teach({ ...past[0], kind: 'click', retract: true });
      return valuesOf(lab) === before ? [] : ['tables differ after a retraction'];
    },
  },
  {
    name: 'an edit reaches the model',
    defaultsOnly: true,
    exempts: (subject) =>
      subject.plugin.inputs ? 'its inputs take the edit, and it may believe the opposite' : doesNotPredict(subject),
    violations: ({ plugin, config }) => {
      const lab = new Lab(plugin, config).teachAll(firstRatings(8, SIZE));
      return unrated(firstRatings(8, SIZE)).flatMap((rating) => {
        lab.teach({ ...rating, value: 5 });
        const before = lab.predict(rating.user, rating.item);
        lab.teach({ ...rating, value: 1 });
        const after = lab.predict(rating.user, rating.item);
        return after < before ? [] : [`it expects ${before} after a 5, and ${after} when it is changed to 1`];
      });
    },
  },
];

function promisesOther(promise: Subject['plugin']['retracts']) {
  return ({ plugin }: Subject) => (plugin.retracts === promise ? undefined : `its retractions are ${plugin.retracts}`);
}

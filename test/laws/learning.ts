import { Lab } from './lab.ts';
import { few, type Law, type Subject, shared, streamFor } from './law.ts';
import { copyState, differences, type LabTable, tablesOf } from './rows.ts';
import { checkerboard, hostileStream, item, mixedStream, user } from './streams.ts';

const SIZE = { users: 12, items: 10, events: 200 };
/** Beyond this, an expected rating (1..5) says nothing any more. */
const EXPECTED_MAX = 1000;

const specsOf = ({ plugin, config }: Subject) => Object.values(plugin.tables(config));

/** Whether numbers of rows may be in the tables. */
export const keepsRows = (subject: Subject): boolean =>
  specsOf(subject).some(({ sampled, index }) => sampled || index === 'pool');

/** What events do to the tables. */
export const learningLaws: readonly Law[] = [
  {
    name: 'a withheld checkerboard is recovered',
    defaultsOnly: true,
    exempts: doesNotPredict,
    violations: ({ plugin, config }) => {
      const lab = new Lab(plugin, config);
      const { shown, withheld } = checkerboard(30);
      for (let round = 0; round < 10; round++) lab.teachAll(shown);
      const wrong = withheld.filter(({ user, item, value = 0 }) => lab.predict(user, item) > 3 !== value > 3);
      const most = withheld.length / 10;
      return wrong.length > most
        ? [`${wrong.length} of ${withheld.length} withheld ratings are on the wrong side`]
        : [];
    },
  },
  {
    name: 'an event changes no row that it does not name',
    violations: (subject) => {
      const lab = new Lab(subject.plugin, subject.config);
      const tables = tablesOf(lab).filter(({ index }) => index !== 'model');
      return few(streamFor(subject, mixedStream(2, SIZE)).flatMap((rating) => strayChanges(lab, tables, rating)));
    },
  },
  {
    name: 'an event makes no more rows of pools than it says, and a retraction none',
    exempts: (subject) => (specsOf(subject).some(({ index }) => index === 'pool') ? undefined : 'it has no pools'),
    violations: (subject) => {
      const lab = new Lab(subject.plugin, subject.config);
      return few(
        streamFor(subject, mixedStream(2, SIZE)).flatMap((rating) => {
          const before = poolsOf(lab, subject);
          lab.teach(rating);
          return poolsOf(lab, subject).flatMap(({ name, rows, perEvent }, n) => {
            const made = rows - before[n].rows;
            const most = rating.retract ? 0 : perEvent;
            return made <= most
              ? []
              : [`${rating.user} with ${rating.item} makes ${made} rows of ${name}, ${most} at most`];
          });
        }),
      );
    },
  },
  {
    name: 'the same events give the same bytes',
    violations: (subject) => {
      const { plugin, config } = subject;
      const events = streamFor(subject, mixedStream(3, SIZE));
      const [first, second] = [1, 2].map(() => new Lab(plugin, config).teachAll(events));
      return first.hash === second.hash
        ? []
        : few([`hashes ${first.hash}, ${second.hash}`, ...differences(first, second)]);
    },
  },
  {
    name: 'another seed draws other values',
    exempts: (subject) =>
      specsOf(subject).some(({ columns }) => Object.values(columns).some(({ initialSd }) => initialSd !== undefined))
        ? undefined
        : 'it declares no drawn values',
    violations: ({ plugin, config }) => {
      const other = { ...config, seed: config.seed === 1 ? 2 : 1 };
      const [first, second] = [config, other].map((each) => new Lab(plugin, each).teachAll(mixedStream(3, SIZE)));
      return differences(first, second).length === 0
        ? [`seeds ${config.seed} and ${other.seed} give the same bytes`]
        : [];
    },
  },
  {
    name: 'numbers of rows and revisions mean nothing',
    exempts: (subject) =>
      keepsRows(subject) ? 'it keeps or samples rows, which have no other names than their numbers' : undefined,
    violations: (subject) => {
      const { plugin, config } = subject;
      const events = streamFor(subject, mixedStream(4, SIZE));
      const plain = new Lab(plugin, config).teachAll(events);
      const moved = new Lab(plugin, config, { revision: 123_456, before: othersFirst() }).teachAll(events);
      return few(differences(plain, moved));
    },
  },
  {
    name: 'all state is in tables',
    violations: (subject) => {
      const { plugin, config } = subject;
      const [early, late] = [5, 6].map((seed) => streamFor(subject, mixedStream(seed, SIZE)));
      const uninterrupted = new Lab(plugin, config).teachAll(early);
      const restored = new Lab(plugin, config, { before: early });
      copyState(uninterrupted, restored);
      uninterrupted.teachAll(late);
      restored.teachAll(late);
      return few(differences(uninterrupted, restored));
    },
  },
  {
    name: 'state stays finite, whatever is sent',
    violations: (subject) => {
      const lab = new Lab(subject.plugin, subject.config);
      const found: string[] = [];
      for (const rating of streamFor(subject, hostileStream(1500))) {
        lab.teach(rating);
        if (Math.abs(lab.expected) <= EXPECTED_MAX || Number.isNaN(lab.expected)) continue;
        found.push(`it expects ${lab.expected} of ${rating.user} for ${rating.item}`);
        break;
      }
      for (const { name, rows, values } of tablesOf(lab)) {
        for (let row = 0; row < rows; row++) {
          const wrong = values(row).find((value) => !Number.isFinite(value));
          if (wrong !== undefined) found.push(`${name} ${row} holds ${wrong}`);
        }
      }
      return few(found);
    },
  },
];

/** The pools of a lab's model: how many rows each has, and how many an event may make. */
function poolsOf(lab: Lab, { plugin, config }: Subject) {
  const specs = plugin.tables(config);
  return tablesOf(lab).flatMap(({ name, index, rows }) => {
    const { perEvent = 0 } = specs[name];
    return index === 'pool' ? [{ name, rows, perEvent }] : [];
  });
}

/** A model that has learned nothing: what it offers is known once it is made. */
export const newModel = shared(({ plugin, config }: Subject) => new Lab(plugin, config, { budgetMiB: 16 }).model);

export function doesNotPredict(subject: Subject): string | undefined {
  return newModel(subject).predicts ? undefined : 'it does not predict ratings';
}

/** Rows of users and items that an event changed without a right to. */
function strayChanges(
  lab: Lab,
  tables: readonly LabTable[],
  rating: { readonly user: string; readonly item: string },
): string[] {
  const before = tables.map(({ rows, bytes }) => Array.from({ length: rows }, (_, row) => bytes(row).slice()));
  lab.teach(rating);
  const named = { user: lab.userRow(rating.user), item: lab.itemRow(rating.item) };
  const sampled = new Set(tables.filter(({ sampled, index }) => sampled || index === 'pool').map(({ name }) => name));
  const stray = lab.touched
    .filter(({ table }) => !sampled.has(table))
    .map(({ table }) => `it names a row of ${table} to touch, which is not declared as sampled`);
  const touched = new Set(lab.touched.map(({ table, row }) => `${table} ${row}`));
  for (const [t, { name, index, bytes }] of tables.entries()) {
    for (const [row, old] of before[t].entries()) {
      if (row === named[index as 'user' | 'item'] || touched.has(`${name} ${row}`)) continue;
      if (Buffer.compare(old, bytes(row)) !== 0)
        stray.push(`${rating.user} rating ${rating.item} changes ${name} ${row}`);
    }
  }
  return stray;
}

/** What leaves the same ids under other rows, and nothing else. */
function othersFirst() {
  const pairs = Array.from({ length: 2 * SIZE.users }, (_, n) => ({
    user: user(2 * SIZE.users - n),
    item: item((2 * SIZE.items - n + 40) % (2 * SIZE.items)),
    value: 3,
  }));
  return [...pairs, ...pairs.map((pair) => ({ ...pair, retract: true }))];
}

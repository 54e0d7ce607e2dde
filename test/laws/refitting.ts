import type { Device } from '../../plugins/contract/index.ts';
import { CountingDevice } from './counting-device.ts';
import { Lab, type Rating } from './lab.ts';
import { few, type Law, type Subject } from './law.ts';
import { doesNotPredict } from './learning.ts';
import { copyState, differences, tablesOf } from './rows.ts';
import { checkerboard, hostileStream, mixedStream } from './streams.ts';

const SIZE = { users: 12, items: 10, events: 200 };
const SEED = 7;
/** Beyond this, an expected rating (1..5) says nothing any more. */
const EXPECTED_MAX = 1000;

const taught = ({ plugin, config }: Subject, ratings: Iterable<Rating> = mixedStream(1, SIZE)) =>
  new Lab(plugin, config).teachAll(ratings);

/** What it says on the way; it is left off after `most` times. */
async function refit({ model }: Lab, most = Number.POSITIVE_INFINITY, device?: Device): Promise<number[]> {
  const shares: number[] = [];
  for await (const share of model.refit(SEED, device)) if (shares.push(share) >= most) break;
  return shares;
}

/** Models that learn all live ratings anew. */
export const refittingLaws: readonly Law[] = [
  {
    name: 'a refit gives the same bytes again',
    exempts: hasNone,
    violations: async (subject) => {
      const [first, second] = [taught(subject), taught(subject)];
      await refit(first);
      await refit(second);
      return first.hash === second.hash
        ? []
        : few([`hashes ${first.hash}, ${second.hash}`, ...differences(first, second)]);
    },
  },
  {
    name: 'a refit gives the same bytes when its device fails half way',
    exempts: hasNone,
    violations: async (subject) => {
      const [whole, failed] = [taught(subject), taught(subject)];
      const counting = new CountingDevice();
      await refit(whole, undefined, counting);
      await refit(failed, undefined, new CountingDevice(counting.waits));
      return whole.hash === failed.hash ? [] : few(differences(whole, failed));
    },
  },
  {
    name: 'a refit says how far it has come',
    exempts: hasNone,
    violations: async (subject) => {
      const shares = await refit(taught(subject));
      const wrong = shares.findIndex((share, n) => !(share >= (shares[n - 1] ?? 0) && share <= 1));
      return [
        ...(wrong < 0 ? [] : [`it says ${shares[wrong]} after ${shares[wrong - 1] ?? 'nothing'}`]),
        ...(shares.at(-1) === 1 ? [] : [`it ends with ${shares.at(-1) ?? 'nothing'}, not 1`]),
      ];
    },
  },
  {
    name: 'a refit makes no row and writes nothing but its tables',
    exempts: hasNone,
    violations: async (subject) => {
      const lab = taught(subject);
      const isPool = (name: string) => subject.plugin.tables(subject.config)[name]?.index === 'pool';
      const sizes = () =>
        lab.model.sizes
          .filter(({ name }) => !isPool(name))
          .map(({ name, rows, bytes }) => `${name} ${rows} rows, ${bytes} bytes`);
      const others = () =>
        JSON.stringify([lab.world.hashes(lab.kernels), `${lab.model.prequential.hash(lab.kernels, 0n)}`]);
      const before = { sizes: sizes(), others: others() };
      await refit(lab);
      const grown = sizes().filter((size, n) => size !== before.sizes[n]);
      return few([...grown, ...(others() === before.others ? [] : ['what is not its tables has changed'])]);
    },
  },
  {
    name: 'a refit stays finite, whatever was sent',
    exempts: hasNone,
    violations: async (subject) => {
      const lab = taught(subject, hostileStream(600));
      await refit(lab);
      return few(strange(lab));
    },
  },
  {
    name: 'a refit can be left off, and all state is in tables then too',
    exempts: hasNone,
    violations: async (subject) => {
      const later = mixedStream(6, SIZE);
      const found: string[] = [];
      const steps = (await refit(taught(subject))).length;
      for (const most of new Set([1, Math.ceil(steps / 2), steps])) {
        const left = taught(subject);
        await refit(left, most);
        found.push(...strange(left));
        const restored = new Lab(subject.plugin, subject.config, { before: mixedStream(1, SIZE) });
        copyState(left, restored);
        for (const lab of [left, restored]) lab.teachAll(later);
        found.push(...differences(left, restored), ...strange(left));
      }
      return few(found);
    },
  },
  {
    name: 'a refit recovers a withheld checkerboard from the ratings alone',
    defaultsOnly: true,
    exempts: (subject) => hasNone(subject) ?? doesNotPredict(subject),
    violations: async ({ plugin, config }) => {
      const { shown, withheld } = checkerboard(30);
      const lab = new Lab(plugin, config, { before: shown });
      for (let round = 0; round < 30; round++) await refit(lab);
      const wrong = withheld.filter(({ user, item, value = 0 }) => lab.predict(user, item) > 3 !== value > 3);
      return wrong.length > withheld.length / 10
        ? [`${wrong.length} of ${withheld.length} withheld ratings are on the wrong side`]
        : [];
    },
  },
];

function hasNone({ plugin }: Subject): string | undefined {
  return plugin.refit ? undefined : 'it has no refit';
}

/** Numbers of the state that are none, and what it expects beyond all reason. */
function strange(lab: Lab): string[] {
  const found = tablesOf(lab).flatMap(({ name, rows, values }) =>
    Array.from({ length: rows }, (_, row) => values(row).find((value) => !Number.isFinite(value))).flatMap(
      (wrong, row) => (wrong === undefined ? [] : [`${name} ${row} holds ${wrong}`]),
    ),
  );
  const { users, items } = lab.world;
  for (let row = 0; row < Math.max(users.rows, items.rows); row++) {
    const [user, item] = [users.text(row % users.rows), items.text(row % items.rows)];
    const expected = lab.predict(user, item);
    if (Math.abs(expected) > EXPECTED_MAX) found.push(`it expects ${expected} of ${user} for ${item}`);
  }
  return found;
}

import { NO_ROW } from '../../plugins/contract/index.ts';
import { Lab } from './lab.ts';
import { DEFAULTS, few, type Law, type Subject, shared } from './law.ts';
import { item, mixedStream, user } from './streams.ts';

const SIZE = { users: 12, items: 19, events: 200 };

const taughtLab = shared(({ plugin, config }: Subject) => new Lab(plugin, config).teachAll(mixedStream(1, SIZE)));

/** Rows of a few users, and nobody's. */
const askers = (lab: Lab) => [0, 5, lab.world.users.rows - 1, NO_ROW];

/** A way to have items scored. */
interface Way {
  readonly name: string;
  readonly score: (spans: readonly number[]) => Float32Array;
}

/** Every way that a model offers: for users, by further rankings, by items, by sessions. */
function waysOf(lab: Lab): Way[] {
  const { scorer, items } = lab.model;
  const heads = Object.keys(scorer.heads ?? {});
  const sessions = [[3], [7, 7, 2], Array.from({ length: 1000 }, (_, n) => (n * 5) % items)];
  return [
    ...askers(lab).map((row) => ({
      name: row === NO_ROW ? 'for a stranger' : `for user ${row}`,
      score: (spans: readonly number[]) => lab.score(row, spans),
    })),
    ...heads.flatMap((head) =>
      askers(lab).map((row) => ({
        name: `by ${head} ${row === NO_ROW ? 'for a stranger' : `for user ${row}`}`,
        score: (spans: readonly number[]) => lab.head(head, row, spans),
      })),
    ),
    ...(scorer.without ? askers(lab) : []).map((row) => ({
      name: row === NO_ROW ? 'for a stranger without a rating' : `for user ${row} without a rating`,
      score: (spans: readonly number[]) => lab.without(row, [3, 7], spans),
    })),
    ...(scorer.similar ? [0, 7, items - 1, NO_ROW] : []).map((row) => ({
      name: row === NO_ROW ? 'as like an unknown item' : `as like item ${row}`,
      score: (spans: readonly number[]) => lab.similar(row, spans),
    })),
    ...(scorer.session ? sessions : []).map((session) => ({
      name: `for a session of ${session.length} items`,
      score: (spans: readonly number[]) => lab.session(session, spans),
    })),
  ];
}

const singles = (rows: readonly number[]) => rows.flatMap((row) => [row, row + 1]);

/** Scoring and predicting. */
export const readingLaws: readonly Law[] = [
  {
    name: 'reading makes no row and changes no byte',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const before = [lab.hash, lab.arena.usedBytes, ...lab.model.sizes.map(({ rows }) => rows)];
      for (const { score } of waysOf(lab)) score([0, lab.model.items]);
      for (const asker of askers(lab)) lab.explain(asker, 7);
      lab.vector(7);
      for (const [u, i] of [
        [0, 0],
        [3, 7],
        [999, 7],
        [3, 999],
        [999, 999],
      ])
        lab.predict(user(u), item(i));
      const after = [lab.hash, lab.arena.usedBytes, ...lab.model.sizes.map(({ rows }) => rows)];
      return before.join() === after.join()
        ? []
        : [`hash, bytes and rows were ${before}, and are ${after} after reading`];
    },
  },
  {
    name: 'an unknown user or item is normal, and every score finite',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const found = waysOf(lab).flatMap(({ name, score }) => {
        const strange = score([0, lab.model.items]).filter((each) => !Number.isFinite(each));
        return strange.length > 0 ? [`${strange.length} items score ${strange[0]} ${name}`] : [];
      });
      if (!lab.model.predicts) return found;
      for (const [u, i] of [
        [999, 7],
        [3, 999],
        [999, 999],
      ]) {
        const expected = lab.predict(user(u), item(i));
        const neutral = subject.label === DEFAULTS ? expected >= 1 && expected <= 5 : Number.isFinite(expected);
        if (!neutral) found.push(`it expects ${expected} of ${user(u)} for ${item(i)}`);
      }
      return found;
    },
  },
  {
    name: 'scores of a batch are those of its parts',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const { items } = lab.model;
      return few(
        waysOf(lab).flatMap(({ name, score }) => {
          const together = score([0, items]);
          return Array.from({ length: items }, (_, row) => score([row, row + 1])[0]).flatMap((alone, row) =>
            Object.is(alone, together[row])
              ? []
              : [`item ${row} scores ${alone} alone, ${together[row]} among all, ${name}`],
          );
        }),
      );
    },
  },
  {
    name: 'the order of candidates is irrelevant',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const rows = Array.from({ length: lab.model.items }, (_, row) => row);
      const mixed = rows.toSorted((a, b) => ((a * 7) % 19) - ((b * 7) % 19) || a - b);
      return few(
        waysOf(lab).flatMap(({ name, score }) => {
          const inOrder = score(singles(rows));
          return Array.from(score(singles(mixed))).flatMap((found, n) =>
            Object.is(found, inOrder[mixed[n]])
              ? []
              : [`item ${mixed[n]} scores ${inOrder[mixed[n]]} in order, ${found} in place ${n}, ${name}`],
          );
        }),
      );
    },
  },
];

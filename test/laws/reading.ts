import { NO_ROW } from '../../plugins/contract/index.ts';
import { Lab } from './lab.ts';
import { DEFAULTS, few, type Law, type Subject } from './law.ts';
import { item, mixedStream, user } from './streams.ts';

const SIZE = { users: 12, items: 19, events: 200 };

const taughtLab = ({ plugin, config }: Subject) => new Lab(plugin, config).teachAll(mixedStream(1, SIZE));

/** Rows of a few users, and nobody's. */
const askers = (lab: Lab) => [0, 5, lab.world.users.rows - 1, NO_ROW];

const singles = (rows: readonly number[]) => rows.flatMap((row) => [row, row + 1]);

/** Scoring and predicting. */
export const readingLaws: readonly Law[] = [
  {
    name: 'reading makes no row and changes no byte',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const before = [lab.hash, lab.arena.usedBytes, ...lab.model.sizes.map(({ rows }) => rows)];
      for (const asker of askers(lab)) lab.score(asker, [0, lab.model.items]);
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
    name: 'an unknown user or item is normal',
    violations: (subject) => {
      const lab = taughtLab(subject);
      const scores = Array.from(lab.score(NO_ROW, [0, lab.model.items]));
      const strange = scores.filter((score) => !Number.isFinite(score));
      const found = strange.length > 0 ? [`${strange.length} items score ${strange[0]} for a stranger`] : [];
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
        askers(lab).flatMap((asker) => {
          const together = lab.score(asker, [0, items]);
          return Array.from({ length: items }, (_, row) => lab.score(asker, [row, row + 1])[0]).flatMap((alone, row) =>
            Object.is(alone, together[row]) ? [] : [`item ${row} scores ${alone} alone, ${together[row]} among all`],
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
        askers(lab).flatMap((asker) => {
          const inOrder = lab.score(asker, singles(rows));
          return Array.from(lab.score(asker, singles(mixed))).flatMap((score, n) =>
            Object.is(score, inOrder[mixed[n]])
              ? []
              : [`item ${mixed[n]} scores ${inOrder[mixed[n]]} in order, ${score} in place ${n}`],
          );
        }),
      );
    },
  },
];

import { type Contribution, HOPE, NO_ROW, type Scorer } from '../../plugins/contract/index.ts';
import { Lab } from './lab.ts';
import { few, type Law, type Subject, shared } from './law.ts';
import { newModel } from './learning.ts';
import { circles, item, mixedStream } from './streams.ts';

/** Users and items of two circles; 20 divides into their diagonals. */
const SIDE = 20;
const ROUNDS = 10;
const SIZE = { users: 12, items: 19, events: 200 };
/** The most that an explanation may be off, of the larger of 1 and the score. */
const TOLERANCE = 1e-4;
const WIDTH_MAX = 4096;

const circleLab = shared(({ plugin, config }: Subject) => {
  const lab = new Lab(plugin, config);
  for (let round = 0; round < ROUNDS; round++) lab.teachAll(circles(SIDE));
  return lab;
});

const mixedLab = shared(({ plugin, config }: Subject) => new Lab(plugin, config).teachAll(mixedStream(9, SIZE)));

/** What a scorer offers besides scoring and predicting: each only asked of those who offer it. */
export const offeringLaws: readonly Law[] = [
  {
    name: 'items that the same people like are alike',
    defaultsOnly: true,
    exempts: offersNo('similar'),
    violations: (subject) => {
      const lab = circleLab(subject);
      return few(strayItems(lab, (row) => lab.similar(row, [0, lab.model.items])));
    },
  },
  {
    name: 'a session is answered in its taste',
    defaultsOnly: true,
    exempts: offersNo('session'),
    violations: (subject) => {
      const lab = circleLab(subject);
      const session = (row: number) => [2, 4, 0].map((step) => lab.itemRow(item((numberOf(lab, row) + step) % SIDE)));
      return few(strayItems(lab, (row) => lab.session(session(row), [0, lab.model.items])));
    },
  },
  {
    name: 'vectors are finite, and near for items that the same people like',
    defaultsOnly: true,
    exempts: offersNo('vectors'),
    violations: (subject) => {
      const lab = circleLab(subject);
      const { width = 0 } = lab.model.scorer.vectors ?? {};
      if (!(width >= 1 && width <= WIDTH_MAX)) return [`vectors have ${width} numbers: 1 to ${WIDTH_MAX} can be`];
      const vectors = Array.from({ length: lab.model.items }, (_, row) => lab.vector(row));
      const strange = vectors.flatMap((vector, row) =>
        vector.length === width && vector.every(Number.isFinite) ? [] : [`the vector of item ${row} is ${vector}`],
      );
      const cosines = (row: number) => vectors.map((vector) => cosine(vectors[row], vector));
      return few([...strange, ...strayItems(lab, cosines)]);
    },
  },
  {
    name: 'factors multiply to the scores',
    exempts: offersNo('factors'),
    violations: (subject) => {
      const lab = mixedLab(subject);
      const { items } = lab.model;
      const askers = [0, 5, lab.world.users.rows - 1, NO_ROW].map((asker) => ({
        asker,
        products: lab.products(asker),
      }));
      const wrong = askers.flatMap(({ asker, products }) =>
        Array.from(products ? lab.score(asker, [0, items]) : []).flatMap((score, row) => {
          const product = products?.[row] ?? Number.NaN;
          const right = Math.abs(product - score) <= TOLERANCE * Math.max(1, Math.abs(score));
          return right ? [] : [`item ${row} scores ${score} for ${asker}, and its product is ${product}`];
        }),
      );
      return few([...wrong, ...(askers.some(({ products }) => products) ? [] : ['nobody has any'])]);
    },
  },
  {
    name: 'an explanation adds up to the score, the greatest share first',
    exempts: offersNo('explain'),
    violations: (subject) =>
      eachExplanation(subject, (parts, { lab, asker, row, name }) => {
        const [score] = lab.score(asker, [row, row + 1]);
        const sum = parts.reduce((total, { value }) => total + value, 0);
        // Not a number is not within it.
        const right = Math.abs(sum - score) <= TOLERANCE * Math.max(1, Math.abs(score));
        const sizes = parts.map(({ value }) => Math.abs(value));
        const sorted = sizes.every((size, n) => n === 0 || size <= sizes[n - 1]);
        return [
          ...(right ? [] : [`${name} scores ${score}, and its explanation sums to ${sum}`]),
          ...(sorted ? [] : [`${name} is explained by ${sizes.join(', ')}, not the greatest first`]),
        ];
      }),
  },
  {
    name: 'an explanation names what the user rated and parts of the model, each once',
    exempts: offersNo('explain'),
    violations: (subject) =>
      eachExplanation(subject, (parts, { lab, asker, name }) => {
        const names = parts.map((part) => ('item' in part ? `item ${part.item}` : part.term));
        const twice = names.filter((each, n) => names.indexOf(each) < n);
        const unknown = parts.flatMap((part) => {
          if ('term' in part) return /^[a-z][a-z0-9_.-]*$/.test(part.term) ? [] : [`"${part.term}"`];
          const rated = asker !== NO_ROW && lab.world.interactions.find(asker, part.item) >= 0;
          return rated ? [] : [`item ${part.item}, which the user did not rate`];
        });
        return [
          ...twice.map((each) => `the explanation of ${name} names ${each} twice`),
          ...unknown.map((each) => `the explanation of ${name} names ${each}`),
        ];
      }),
  },
  {
    name: 'what is drawn is drawn by chances, and hope is one of what is believed',
    exempts: offersNo('explores'),
    violations: (subject) => {
      const lab = mixedLab(subject);
      const { explores } = lab.model.scorer;
      if (explores?.by === 'epsilon') {
        const { epsilon } = explores;
        return epsilon >= 0 && epsilon <= 1 ? [] : [`epsilon is ${epsilon}, and no chance`];
      }
      return few([0, 5, NO_ROW].flatMap((asker) => unbelievable(lab, asker)));
    },
  },
  {
    name: 'without none of the ratings a score is what it is',
    exempts: offersNo('without'),
    violations: (subject) => {
      const lab = mixedLab(subject);
      const spans = [0, lab.model.items];
      return few(
        [0, 5, NO_ROW].flatMap((asker) => {
          const without = lab.without(asker, [], spans);
          return Array.from(lab.score(asker, spans)).flatMap((score, row) =>
            Object.is(score, without[row]) ? [] : [`item ${row} scores ${score}, and ${without[row]} without nothing`],
          );
        }),
      );
    },
  },
];

/** Items of which what is believed does not rise with the quantile, or is not what is hoped at `HOPE`. */
function unbelievable(lab: Lab, asker: number): string[] {
  const z = Float64Array.of(-2, -1, 0, 1, HOPE, 3);
  const hopes = lab.hopes(asker, [0, lab.model.items]);
  return Array.from(hopes).flatMap((hope, row) => {
    const believed = lab.quantiles(asker, row, z);
    const rises = believed.every((value, n) => Number.isFinite(value) && (n === 0 || value >= believed[n - 1]));
    const hoped = Math.abs(hope - believed[4]) <= TOLERANCE * Math.max(1, Math.abs(hope));
    return rises && hoped
      ? []
      : [`of item ${row}, ${believed.join(', ')} is believed for ${asker}, and ${hope} is hoped`];
  });
}

function offersNo(capability: keyof Scorer) {
  return (subject: Subject): string | undefined =>
    newModel(subject).scorer[capability] === undefined ? `its scorer has no \`${capability}\`` : undefined;
}

const numberOf = (lab: Lab, row: number) => Number(lab.world.items.text(row).replace('item-', ''));

/** Items for which the other side's items score more than those of their own; of every ten, one may. */
function strayItems(lab: Lab, scoresOf: (row: number) => ArrayLike<number>): string[] {
  const rows = Array.from({ length: lab.model.items }, (_, row) => row);
  const stray = rows.flatMap((row) => {
    const scores = scoresOf(row);
    const meanOf = (parity: number) => {
      const side = rows.filter((each) => each !== row && (numberOf(lab, each) + numberOf(lab, row)) % 2 === parity);
      return side.reduce((sum, each) => sum + scores[each], 0) / side.length;
    };
    const [own, other] = [meanOf(0), meanOf(1)];
    return own > other ? [] : [`for item ${row}, its own side has ${own} on average, the other ${other}`];
  });
  return stray.length > rows.length / 10 ? stray : [];
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, n) => sum + value * y[n], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

interface Explained {
  readonly lab: Lab;
  readonly asker: number;
  readonly row: number;
  readonly name: string;
}

/** What is wrong with the explanations of all items, for a few users and a stranger. */
function eachExplanation(
  subject: Subject,
  check: (parts: readonly Contribution[], explained: Explained) => string[],
): string[] {
  const lab = mixedLab(subject);
  const found: string[] = [];
  for (const asker of [0, 5, lab.world.users.rows - 1, NO_ROW]) {
    const whom = asker === NO_ROW ? 'a stranger' : `user ${asker}`;
    for (let row = 0; row < lab.model.items; row++) {
      found.push(...check(lab.explain(asker, row), { lab, asker, row, name: `item ${row} for ${whom}` }));
    }
  }
  return few(found);
}

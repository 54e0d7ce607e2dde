import { NO_ROW, type WritableAddress } from '../../plugins/contract/index.ts';
import { configHash } from '../../server/config/hash.ts';
import { Scale } from '../../server/memory/scale.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { find100k, findMovieLensSmall, type Ratings, readMovies } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import { type Figure, ofRounds, type Report } from './report.ts';

/**
 * What `mf` as shipped offers besides scores, in this process: what it takes beside a score, in turn, and whether it is
 * any good. Of every user the latest ratings are withheld; those of them that are likings are to be found.
 */

const ROUNDS = 7;
const CALLS = 500;
const WITHHELD = 10;
/** Ratings that stay with a user at least. */
const KEPT_MIN = 5;
const LIKED = 4;
const TOP = 10;
/** Items with fewer ratings are not asked what is like them. */
const ASKED_RATINGS_MIN = 50;
const SESSIONS = [1, 3, 10, 50];
const BUDGET_MIB = 512;
const mf = await loadPlugin('mf');
const config = mf.config.parse({});

const CASES = [
  { set: 'ml-100k', find: find100k, scale: new Scale(1, 5), genres: new Map<string, readonly string[]>() },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    scale: new Scale(0.5, 5),
    genres: new Map(readMovies().map(({ item, genres }) => [String(item), genres])),
  },
];

export async function benchOffers(report: Report): Promise<void> {
  for (const { set, find, scale, genres } of CASES) {
    report.heading(`Likeness, sessions and explanations of mf on ${set}, in process`);
    const { skip, ratings } = find();
    if (!ratings) {
      report.note(String(skip));
      continue;
    }
    const add = (figure: Omit<Figure, 'part'>) =>
      report.add({ part: `offers ${set}`, configHash: configHash(config), ...figure });
    const { lab, users } = teach(ratings, scale);
    for (const figure of costs(lab)) add(figure);
    for (const figure of sessionHits(lab, users)) add(figure);
    if (genres.size > 0) for (const figure of sharedGenres(lab, genres)) add(figure);
  }
}

/** A user's ratings: rows of the items that were learned, the latest last, and of those to be found. */
interface Held {
  readonly learned: readonly number[];
  readonly liked: readonly number[];
}

function teach({ count, user, item, value, time }: Ratings, scale: Scale): { lab: Lab; users: Held[] } {
  const lab = new Lab(mf, config, { scale, budgetMiB: BUDGET_MIB });
  const all = Array.from({ length: count }, (_, n) => n);
  const kept = [...Map.groupBy(all, (n) => user[n]).values()].map((own) => {
    const split = Math.max(KEPT_MIN, own.length - WITHHELD);
    return { learned: own.slice(0, split), withheld: own.slice(split) };
  });
  for (const n of kept.flatMap(({ learned }) => learned).sort((a, b) => a - b)) {
    lab.teach({ user: String(user[n]), item: String(item[n]), value: value[n], time: time[n] });
  }
  const rowOf = (n: number) => lab.itemRow(String(item[n]));
  const users = kept.map(({ learned, withheld }) => ({
    learned: learned.map(rowOf),
    liked: withheld.filter((n) => value[n] >= LIKED).map(rowOf),
  }));
  return { lab, users };
}

/** Microseconds of a score of all items, and what the others take as parts of it. */
function costs({ arena, model, world }: Lab): Omit<Figure, 'part'>[] {
  const { scorer, items } = model;
  const out = arena.allocate(4 * items) as WritableAddress;
  const all = Uint32Array.of(0, items);
  const session = { items: Uint32Array.from({ length: 50 }, (_, n) => (n * 7) % items), time: 0 };
  const user = (n: number) => (n * 7) % world.users.rows;
  const works = {
    score: (n: number) => scorer.score({ user: user(n), time: 0 }, all, 1, out),
    similar: (n: number) => scorer.similar?.(n % items, all, 1, out),
    session: () => scorer.session?.(session, all, 1, out),
    explain: (n: number) => scorer.explain?.({ user: user(n), time: 0 }, n % items),
  };
  const measure = () => Object.fromEntries(Object.entries(works).map(([name, work]) => [name, microseconds(work)]));
  // In the first round the engine still warms up.
  const rounds = Array.from({ length: ROUNDS + 1 }, measure).slice(1);
  const parts = (name: string) => ofRounds(rounds.map((round) => round[name] / round.score));
  const target = { atMost: 2 };
  return [
    { name: `scoring ${items} items for a user`, ...ofRounds(rounds.map(({ score }) => score)), unit: 'us' },
    { name: '  by likeness to an item, as a part of that', ...parts('similar'), unit: '', target },
    { name: '  for a session of 50, as a part of that', ...parts('session'), unit: '', target },
    { name: 'explaining one item', ...ofRounds(rounds.map(({ explain }) => explain)), unit: 'us' },
  ];
}

function microseconds(work: (n: number) => unknown): number {
  const startMs = performance.now();
  for (let n = 0; n < CALLS; n++) work(n);
  return ((performance.now() - startMs) / CALLS) * 1000;
}

/** How often one of what is to be found is among the first ten, for a stranger and for someone with a session. */
function sessionHits(lab: Lab, users: readonly Held[]): Omit<Figure, 'part'>[] {
  const all = [0, lab.model.items];
  const stranger = lab.score(NO_ROW, all);
  const strangers = hitRate(lab, users, () => stranger);
  const name = `hit rate at ${TOP} of the last ${WITHHELD}`;
  return [
    { name: `${name}, for strangers`, value: strangers, unit: '' },
    ...SESSIONS.map((length) => ({
      name: `  for the latest ${length} as a session, as a part of that`,
      value: hitRate(lab, users, ({ learned }) => lab.session(learned.slice(-length), all)) / strangers,
      unit: '',
      target: { atLeast: 1 },
    })),
  ];
}

function hitRate(lab: Lab, users: readonly Held[], scoresOf: (user: Held) => Float32Array): number {
  let hits = 0;
  let count = 0;
  for (const user of users.filter(({ liked }) => liked.length > 0)) {
    const first = new Set(best(lab, scoresOf(user), user.learned));
    hits += user.liked.filter((row) => first.has(row)).length;
    count += user.liked.length;
  }
  return hits / count;
}

/** How many genres an item and the ten that are most like it share, of all that they have (Jaccard); and any ten. */
function sharedGenres(lab: Lab, genres: ReadonlyMap<string, readonly string[]>): Omit<Figure, 'part'>[] {
  const { byItem } = lab.world.interactions;
  const of = Array.from({ length: lab.model.items }, (_, row) => new Set(genres.get(lab.world.items.text(row))));
  const asked = of.flatMap((_, row) => (byItem.count(row) >= ASKED_RATINGS_MIN ? [row] : []));
  const shared = (a: Set<string>, b: Set<string>) => a.intersection(b).size / Math.max(1, a.union(b).size);
  const meanOf = (rowsFor: (row: number) => readonly number[]) => {
    const each = asked.flatMap((row) => rowsFor(row).map((other) => shared(of[row], of[other])));
    return each.reduce((sum, part) => sum + part, 0) / each.length;
  };
  const any = (row: number) => Array.from({ length: TOP }, (_, n) => (row * 31 + n * 997 + 1) % of.length);
  return [
    { name: `genres shared with any ${TOP} items`, value: meanOf(any), unit: '' },
    {
      name: `  with the ${TOP} most alike`,
      value: meanOf((row) => best(lab, lab.similar(row, [0, of.length]), [row])),
      unit: '',
    },
  ];
}

/** The rows of the highest scores, without those of `excluded`. */
function best({ model }: Lab, scores: Float32Array, excluded: readonly number[]): number[] {
  const without = new Set(excluded);
  const rows = Array.from({ length: model.items }, (_, row) => row).filter((row) => !without.has(row));
  return rows.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, TOP);
}

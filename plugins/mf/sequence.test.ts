import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { firstRatings, item, user } from '../../test/laws/streams.ts';
import { NO_ROW, type Plugin, Random } from '../contract/index.ts';
import plugin from './plugin.ts';
import { type Adaptive, sequenceStep } from './reference.ts';

/* The factors of sequences: by hand, against their reference, and what is ranked, explained and taken back by them. */

type Side = 'tastes' | 'sequence';

const SCOPES = ['local', 'rivals', 'full'] as const;
type Scope = (typeof SCOPES)[number];
/** Of so few items each is drawn several times, and none of the draws is likelier than this by much. */
const RIVAL = 0.016;

const START = 1_000_000_000;
const ITEMS = 24;

function createLab(sequence: object = {}): Lab {
  const config = plugin.config.parse({ k: 0, sequence: { k: 5, ...sequence } });
  return new Lab(plugin as unknown as Plugin, config);
}

function column(lab: Lab, table: Side, id: string, name: string): Float32Array {
  const descriptor = lab.model.descriptor.tables[table];
  const row = table === 'tastes' ? lab.userRow(id) : lab.itemRow(id);
  const at = new Table(lab.arena, descriptor).column(name)(row) >>> 2;
  return lab.arena.f32.subarray(at, at + descriptor.columns[name].width);
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);
}

/** Each item once, by somebody else. */
const introduced = Array.from({ length: ITEMS }, (_, n) => ({ user: `other ${n}`, item: item(n), value: 3 }));

test('three steps by hand: whatever is drawn, it has the same vector', () => {
  const lab = createLab({ k: 1, negatives: 1, window: 2, scope: 'local' });
  lab.teachAll(introduced);
  lab.teachAll([
    { user: 'u', item: item(0), value: 3 },
    { user: 'u', item: item(0), retract: true },
  ]);
  for (let n = 0; n < ITEMS; n++) {
    for (const name of ['nextSquares', 'traceSquares']) column(lab, 'sequence', item(n), name)[0] = 0;
    column(lab, 'sequence', item(n), 'next')[0] = n < 3 ? 1 : 0.5;
    column(lab, 'sequence', item(n), 'trace')[0] = 2;
  }
  column(lab, 'tastes', 'u', 'taste')[0] = 1;
  const taste = () => column(lab, 'tastes', 'u', 'taste')[0];
  const next = (n: number) => column(lab, 'sequence', item(n), 'next')[0];
  const trace = (n: number) => column(lab, 'sequence', item(n), 'trace')[0];
  // Only what is told apart from may be any item: three of them are not .5, so they are not rated by others alone.
  const rates = (n: number, time: number) => lab.teach({ user: 'u', item: item(n), value: 3, time: START + time });
  for (const n of [0, 1, 2]) lab.teach({ user: `other ${n}`, item: item(n), retract: true });
  for (const n of [0, 1, 2]) {
    column(lab, 'sequence', item(n), 'next')[0] = 1;
    column(lab, 'sequence', item(n), 'trace')[0] = 2;
  }

  // s = 1; x = .5 and 1: e = .3775407 of the item, -.3775407 of the other; g = .3775407 (1 - .5).
  rates(0, 0);
  const e1 = 1 / (1 + Math.exp(0.5));
  const g1 = 0.5 * e1;
  near(next(0), 1 + (0.09 / Math.sqrt(0.01 + e1 ** 2)) * (e1 - 0.001));
  near(taste(), 1 + (0.14 / Math.sqrt(0.01 + g1 ** 2)) * (g1 - 0.001));
  assert.equal(trace(0), 2);

  // Two hours later: s = P + Y/2.
  const P1 = taste();
  rates(1, 7200);
  const s2 = P1 + 0.5 * 2;
  const e2 = 1 / (1 + Math.exp(0.5 * s2));
  const g2 = 0.5 * e2;
  near(next(1), 1 + (0.09 / Math.sqrt(0.01 + (e2 * s2) ** 2)) * (e2 * s2 - 0.001));
  near(taste(), P1 + (0.14 / Math.sqrt(0.01 + g1 ** 2 + g2 ** 2)) * (g2 - 0.001 * P1));
  near(trace(0), 2 + ((0.09 * 0.5) / Math.sqrt(0.01 + (0.5 * g2) ** 2)) * (g2 - 0.001 * 2));
  assert.equal(trace(1), 2);

  // At once: of the one before all, of the one before that .85 of a half.
  const [P2, Y0] = [taste(), trace(0)];
  rates(2, 7200);
  const s3 = P2 + 2 + 0.425 * Y0;
  const e3 = 1 / (1 + Math.exp(0.5 * s3));
  const g3 = 0.5 * e3;
  near(next(2), 1 + (0.09 / Math.sqrt(0.01 + (e3 * s3) ** 2)) * (e3 * s3 - 0.001));
  near(taste(), P2 + (0.14 / Math.sqrt(0.01 + g1 ** 2 + g2 ** 2 + g3 ** 2)) * (g3 - 0.001 * P2));
  near(trace(1), 2 + (0.09 / Math.sqrt(0.01 + g3 ** 2)) * (g3 - 0.001 * 2));
  const squares = (0.5 * g2) ** 2 + (0.425 * g3) ** 2;
  near(trace(0), Y0 + ((0.09 * 0.425) / Math.sqrt(0.01 + squares)) * (g3 - 0.001 * Y0));
});

/** The same rules over objects, with the same draws. */
class Mirror {
  readonly #lab: Lab;
  readonly #scope: Scope;
  readonly #random = new Random();
  readonly #tastes = new Map<string, Adaptive>();
  readonly #items: { readonly next: Adaptive; readonly trace: Adaptive }[] = [];
  readonly #biases: number[] = [];
  readonly #names: string[] = [];
  readonly #past: Rating[] = [];

  /** `lab` tells what rows begin with. */
  constructor(lab: Lab, scope: Scope) {
    this.#lab = lab;
    this.#scope = scope;
  }

  learn(rating: Rating): void {
    this.#random.key(1, this.#past.length);
    const i = this.#row(rating.item);
    const P = this.taste(rating.user);
    const own = this.#past.filter((past) => past.user === rating.user).reverse();
    const latest = own.slice(0, 20);
    if (this.#names.length >= 20) {
      const Y = latest.map((past) => this.#items[this.#row(past.item)].trace);
      const since = (past: Rating) => Math.max(0, (rating.time ?? 0) - (past.time ?? 0));
      const weights = latest.map((past, n) => 0.85 ** n / (1 + since(past) / 7200));
      const rows = this.#draw(i, new Set(own.map((past) => past.item)));
      const rival = this.#scope === 'rivals' ? RIVAL : 0;
      const biases = this.#scope !== 'local' ? rows.map((row) => this.#biases[row]) : undefined;
      const before = biases?.slice() ?? [];
      sequenceStep({ P, Y, weights, Q: rows.map((row) => this.#items[row].next) }, biases, rival);
      for (const [n, row] of rows.entries()) this.#biases[row] += (biases?.[n] ?? 0) - (before[n] ?? 0);
    }
    this.#past.push(rating);
  }

  taste = (id: string) => obtain(this.#tastes, id, () => this.#begin('tastes', id, 'taste'));
  next = (id: string) => this.#items[this.#row(id)].next;
  trace = (id: string) => this.#items[this.#row(id)].trace;

  #row(id: string): number {
    const known = this.#names.indexOf(id);
    if (known >= 0) return known;
    this.#items.push({ next: this.#begin('sequence', id, 'next'), trace: this.#begin('sequence', id, 'trace') });
    this.#biases.push(0);
    return this.#names.push(id) - 1;
  }

  #begin = (table: Side, id: string, name: string) => ({ row: [...column(this.#lab, table, id, name)], squares: 0 });

  #draw(rated: number, own: ReadonlySet<string>): number[] {
    const found: number[] = [];
    for (let n = 0; n < 4 * 64 && found.length < 64; n++) {
      const part = this.#random.next() / 2 ** 32;
      const row =
        part < 0.1
          ? this.#row(this.#past[Math.floor(10 * part * this.#past.length)].item)
          : Math.floor(((part - 0.1) / 0.9) * this.#names.length);
      // A new item is nobody's yet.
      if (row !== rated && !own.has(this.#names[row])) found.push(row);
    }
    return [...found, rated];
  }
}

function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

describe('against the reference', () => {
  const ratings = firstRatings(21, { users: 9, items: 30, events: 400 });

  for (const scope of SCOPES) {
    test(`${scope}: every vector is that of the reference, but for what f32 rounds`, () => {
      const sequence = { scope, rival: RIVAL };
      const config = plugin.config.parse({ k: 0, sequence: { k: 5, ...sequence } });
      const fresh = new Lab(plugin as unknown as Plugin, config, { before: ratings });
      const lab = createLab(sequence);
      const mirror = new Mirror(fresh, scope);
      for (const rating of ratings) {
        lab.teach(rating);
        mirror.learn(rating);
      }
      const check = (actual: Float32Array, { row }: Adaptive) => {
        for (const [f, x] of row.entries()) near(actual[f], x, 1e-4);
      };
      for (let n = 0; n < 9; n++) check(column(lab, 'tastes', user(n), 'taste'), mirror.taste(user(n)));
      for (let n = 0; n < 30; n++) {
        check(column(lab, 'sequence', item(n), 'next'), mirror.next(item(n)));
        check(column(lab, 'sequence', item(n), 'trace'), mirror.trace(item(n)));
      }
    });
  }
});

describe('what a rating changes', () => {
  const ratings = firstRatings(22, { users: 4, items: 40, events: 400 });
  const last: Rating = { user: 'u', item: item(3), value: 5 };
  const own = [5, 6, 7].map((n) => ({ user: 'u', item: item(n), value: 3 }));

  test('local: besides its own rows, what its user rated last', () => {
    const lab = createLab({ scope: 'local' }).teachAll([...ratings, ...own, last]);
    const named = lab.touched.map(({ table, row }) => `${table} ${lab.world.items.text(row)}`);
    assert.deepEqual(
      named,
      [7, 6, 5].map((n) => `sequence ${item(n)}`),
    );
  });

  test('rivals: also those that it is easily mistaken for, and no others', () => {
    const namedFor = (rival: number) => {
      const lab = createLab({ rival }).teachAll([...ratings, ...own]);
      column(lab, 'sequence', item(30), 'bias')[0] = 3;
      lab.teach(last);
      return lab.touched.map(({ row }) => lab.world.items.text(row)).slice(0, -3);
    };
    assert.deepEqual([...new Set(namedFor(0.1))], [item(30)]);
    assert.deepEqual(namedFor(1), []);
  });

  test('full: also what it is told apart from, none of which its user rated', () => {
    const lab = createLab({ scope: 'full', negatives: 50 }).teachAll([...ratings, ...own, last]);
    const named = lab.touched.map(({ row }) => lab.world.items.text(row));
    assert.equal(named.length, 53);
    for (const id of [3, 5, 6, 7].map(item)) assert.ok(!named.slice(0, 50).includes(id), id);
  });

  test('one that is given again is learned as if it came now, of the others', () => {
    const lab = createLab({ scope: 'local' }).teachAll([...ratings, ...own, last]);
    lab.teach({ ...last, item: item(6), value: 1 });
    assert.deepEqual(
      lab.touched.map(({ row }) => lab.world.items.text(row)),
      [3, 7, 5].map(item),
    );
  });

  test('taken back, it leaves the rows of others, and its user begins anew', () => {
    const fresh = createLab().teachAll([last]);
    const begun = column(fresh, 'tastes', 'u', 'taste').slice();
    const lab = createLab().teachAll([...ratings, ...own, last]);
    assert.notDeepEqual(column(lab, 'tastes', 'u', 'taste'), begun);
    lab.teach({ ...last, retract: true });
    assert.deepEqual(column(lab, 'tastes', 'u', 'taste'), begun);
    const asker = lab.userRow('u');
    assert.ok(lab.explain(asker, 0).every((part) => !('item' in part) || part.item !== lab.itemRow(last.item)));
    lab.teachAll([
      { ...last, item: 'alone' },
      { ...last, item: 'alone', retract: true },
    ]);
    assert.equal(column(lab, 'sequence', 'alone', 'nextSquares')[0], 0);
  });
});

describe('ranking', () => {
  const ratings = firstRatings(23, { users: 9, items: 600, events: 3000 });
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, f) => sum + x * b[f], 0);

  for (const scope of SCOPES) {
    test(`${scope}: b + <s, Q>, s of the latest ratings and how long ago they are`, () => {
      const lab = createLab({ scope }).teachAll(ratings);
      const time = 7200 + Math.max(...ratings.map((rating) => rating.time ?? 0));
      const latest = ratings
        .filter((rating) => rating.user === user(2))
        .slice(-20)
        .reverse();
      const s = Array.from(column(lab, 'tastes', user(2), 'taste'));
      for (const [n, rating] of latest.entries()) {
        const weight = 0.85 ** n / (1 + (time - (rating.time ?? 0)) / 7200);
        for (const [f, x] of column(lab, 'sequence', rating.item, 'trace').entries()) s[f] += weight * x;
      }
      const scores = lab.score(lab.userRow(user(2)), [0, lab.model.items], time);
      for (const [row, score] of scores.entries()) {
        const id = lab.world.items.text(row);
        const [bias] = column(lab, 'sequence', id, 'bias');
        near(score, bias + dot(s, column(lab, 'sequence', id, 'next')), 1e-4);
      }
    });
  }

  test('who has no ratings gets what is popular, known or not', () => {
    const lab = createLab().teachAll(ratings);
    const popular = lab.score(NO_ROW, [0, lab.model.items]);
    for (const [row, score] of popular.entries())
      near(score, 2 * Math.log(1 + lab.world.interactions.byItem.count(row)), 1e-4);
    lab.teachAll([
      { user: 'u', item: item(1), value: 3 },
      { user: 'u', item: item(1), retract: true },
    ]);
    assert.deepEqual(lab.score(lab.userRow('u'), [0, lab.model.items]), lab.score(NO_ROW, [0, lab.model.items]));
    assert.deepEqual(
      lab.explain(lab.userRow('u'), 5).map((part) => ('term' in part ? part.term : part.item)),
      ['popularity'],
    );
  });

  test('a session is ranked for as a user is who rated it just now', () => {
    const lab = createLab().teachAll(ratings);
    const seen = [4, 9, 2, 9].map((n) => lab.itemRow(item(n)));
    const s = [0, 0, 0, 0, 0];
    for (const [n, row] of seen.toReversed().entries()) {
      for (const [f, x] of column(lab, 'sequence', lab.world.items.text(row), 'trace').entries()) s[f] += 0.85 ** n * x;
    }
    for (const [row, score] of lab.session(seen, [0, lab.model.items]).entries()) {
      const id = lab.world.items.text(row);
      near(score, column(lab, 'sequence', id, 'bias')[0] + dot(s, column(lab, 'sequence', id, 'next')), 1e-4);
    }
  });
});

test('a refit learns the sequence anew from what is left, as if it had come in turn', async () => {
  // Around a circle of items, everybody from a place of their own; some were led astray.
  const steps = Array.from({ length: 20 }, (_, n) => n);
  const ratings = Array.from({ length: 60 }, (_, u) => {
    const astray = { user: user(u), item: item((7 * u + 15) % ITEMS), value: 3 };
    const walk = steps.slice(0, 14).map((n) => ({ user: user(u), item: item((7 * u + n) % ITEMS), value: 3 }));
    return { walk: [...walk.slice(0, 7), astray, ...walk.slice(7)], astray };
  });
  const given = ratings.flatMap(({ walk }) => walk);
  const lab = createLab({ k: 16 }).teachAll(given);
  lab.teachAll(ratings.map(({ astray }) => ({ ...astray, retract: true })));
  const before = column(lab, 'tastes', user(1), 'taste').slice();
  for await (const _ of lab.model.refit(1));
  assert.notDeepEqual(column(lab, 'tastes', user(1), 'taste'), before);
  const places = ratings.map((_, u) => {
    const next = lab.itemRow(item((7 * u + 14) % ITEMS));
    const asker = lab.userRow(user(u));
    const scores = lab.score(asker, [0, ITEMS]);
    const { interactions } = lab.world;
    return scores.filter((score, row) => score > scores[next] && interactions.find(asker, row) < 0).length;
  });
  const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
  assert.ok(mean < 3, `the next item is in place ${mean} of ${ITEMS}`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Table } from '../../../server/memory/table.ts';
import { Lab } from '../../../test/laws/lab.ts';
import type { Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';

/* Three steps by hand of every objective: one factor, two items. What is drawn can only be the other one. */

const SETTINGS = { negatives: 1, scope: 'full', eta: 0.1, biasEta: 0.2, l2: 0.01 };

function createLab(objective: string): Lab {
  const config = plugin.config.parse({ objective, k: 1, feedback: SETTINGS });
  const lab = new Lab(plugin as unknown as Plugin, config);
  lab.teachAll([
    { user: 'first', item: 'a', value: 3 },
    { user: 'second', item: 'b', value: 3 },
  ]);
  for (const id of ['a', 'b']) for (const name of NAMES) set(lab, id, name, 0);
  set(lab, 'a', 'vector', 0.5);
  set(lab, 'b', 'vector', -0.25);
  return lab;
}

const NAMES = ['vector', 'squares', 'bias', 'biasSquares'];

function at(lab: Lab, id: string, name: string): number {
  const { tables } = lab.model.descriptor;
  if (id === 'all') return new Table(lab.arena, tables.counters).column(name)(0) >>> 2;
  const isItem = lab.itemRow(id) < lab.model.items;
  const table = new Table(lab.arena, isItem ? tables.items : tables.users);
  return table.column(name)(isItem ? lab.itemRow(id) : lab.userRow(id)) >>> 2;
}

const set = (lab: Lab, id: string, name: string, value: number) => {
  lab.arena.f32[at(lab, id, name)] = value;
};
const get = (lab: Lab, id: string, name: string) => lab.arena.f32[at(lab, id, name)];

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 2e-6, `${what} is ${actual}, not ${expected}`);
}

/** By hand: a number that learns, and the sum of the squares of its gradients. */
class Learned {
  value: number;
  squares = 0;
  constructor(value: number) {
    this.value = value;
  }
  step(eta: number, gradient: number, square = gradient ** 2): void {
    this.squares += square;
    this.value += (eta / Math.sqrt(0.01 + this.squares)) * (gradient - 0.01 * this.value);
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

for (const objective of ['bpr', 'warp'] as const) {
  test(`${objective}: three users choose one of two items`, () => {
    const lab = createLab(objective);
    const q = { a: new Learned(0.5), b: new Learned(-0.25) };
    const bias = { a: new Learned(0), b: new Learned(0) };
    for (const [user, chosen, other] of [
      ['u', 'a', 'b'],
      ['v', 'b', 'a'],
      ['w', 'a', 'b'],
    ] as const) {
      // Its row has to be there before: by another item, which is taken back, so that it begins anew.
      lab.teachAll([
        { user, item: 'a', value: 3 },
        { user, item: 'a', retract: true },
      ]);
      for (const id of ['a', 'b'] as const) {
        set(lab, id, 'vector', q[id].value);
        set(lab, id, 'squares', q[id].squares);
        set(lab, id, 'bias', bias[id].value);
        set(lab, id, 'biasSquares', bias[id].squares);
      }
      set(lab, user, 'vector', 0.8);
      set(lab, user, 'squares', 0);
      lab.teach({ user, item: chosen, value: 3 });

      const score = (id: 'a' | 'b') => bias[id].value + 0.8 * q[id].value;
      const below = score(other) - score(chosen);
      // Of two items the one that ranks too high is found at once: rank 1, weighed by ln 2.
      const e = objective === 'bpr' ? sigmoid(below) : below > -1 ? Math.LN2 : 0;
      const p = new Learned(0.8);
      p.step(0.1, e * (q[chosen].value - q[other].value));
      for (const [id, error] of [
        [chosen, e],
        [other, -e],
      ] as const) {
        q[id].step(0.1, error * 0.8);
        bias[id].step(0.2, error);
      }
      near(get(lab, user, 'vector'), p.value, `p of ${user}`);
      for (const id of ['a', 'b'] as const) {
        near(get(lab, id, 'vector'), q[id].value, `q of ${id} after ${user}`);
        near(get(lab, id, 'bias'), bias[id].value, `b of ${id} after ${user}`);
      }
    }
  });
}

test('logistic: a choice against a drawn item, an exposure, and the click that answers it', () => {
  const lab = createLab('logistic');
  lab.teachAll([
    { user: 'u', item: 'a', value: 3 },
    { user: 'u', item: 'a', retract: true },
  ]);
  for (const [id, vector] of [
    ['a', 0.5],
    ['b', -0.25],
    ['u', 0.8],
  ] as const) {
    for (const name of NAMES) set(lab, id, name, 0);
    set(lab, id, 'vector', vector);
  }
  for (const name of ['bias', 'biasSquares']) set(lab, 'all', name, 0);
  const q = { a: new Learned(0.5), b: new Learned(-0.25) };
  const bias = { all: new Learned(0), u: new Learned(0), a: new Learned(0), b: new Learned(0) };
  const p = new Learned(0.8);
  const score = (id: 'a' | 'b') => bias.all.value + bias.u.value + bias[id].value + p.value * q[id].value;
  const step = (errors: { a?: number; b?: number }) => {
    const { a = 0, b = 0 } = errors;
    const before = p.value;
    p.step(0.1, a * q.a.value + b * q.b.value);
    bias.all.step(0.2, a + b);
    bias.u.step(0.2, a + b);
    for (const [id, error] of Object.entries(errors) as ['a' | 'b', number][]) {
      q[id].step(0.1, error * before);
      bias[id].step(0.2, error);
    }
    near(get(lab, 'u', 'vector'), p.value, 'p');
    for (const id of ['a', 'b'] as const) near(get(lab, id, 'vector'), q[id].value, `q of ${id}`);
    for (const id of ['all', 'u', 'a', 'b'] as const) near(get(lab, id, 'bias'), bias[id].value, `b of ${id}`);
  };

  lab.teach({ user: 'u', item: 'a', value: 3 });
  step({ a: 1 - sigmoid(score('a')), b: -sigmoid(score('b')) });
  lab.teach({ user: 'u', item: 'b', kind: 'view' });
  step({ b: -sigmoid(score('b')) });
  // A click weighs .2 in a lab, an exposure 1: it is forgotten that nothing came of it.
  lab.teach({ user: 'u', item: 'b', kind: 'click' });
  step({ b: 0.2 * (1 - sigmoid(score('b'))) + sigmoid(score('b')) });
  near(
    lab.score(lab.userRow('u'), [lab.itemRow('b'), lab.itemRow('b') + 1])[0],
    sigmoid(score('b')),
    'the probability',
  );
});

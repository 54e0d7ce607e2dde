import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { near } from '../../test/support/ncf-lab.ts';
import { buildNet, floats } from '../../test/support/ncf-net.ts';
import type { WritableAddress } from '../contract/index.ts';
import { gradientBy, say } from './reference.ts';
import { layersOf } from './shape.ts';

/* What the network says, and all of its gradients, against doubles and finite differences. */

const TOLERANCE = 2e-5;

function check(at: WritableAddress, expected: ArrayLike<number>, what: string): void {
  for (let n = 0; n < expected.length; n++) near(floats[(at >>> 2) + n], expected[n], `${what} ${n}`, TOLERANCE);
}

const outer = (columns: WritableAddress, rows: WritableAddress, ins: number, outs: number) =>
  Float64Array.from(
    { length: ins * outs },
    (_, n) => floats[(columns >>> 2) + Math.floor(n / outs)] * floats[(rows >>> 2) + (n % outs)],
  );

describe('the network and its gradients are those of finite differences', () => {
  for (const settings of [
    { gmf: { k: 4 }, tower: { k: 4, layers: 1, rank: 0 } },
    { gmf: { k: 8 }, tower: { k: 4, layers: 1, rank: 1 } },
    { gmf: { k: 4 }, tower: { k: 12, layers: 2, rank: 3 } },
    { gmf: { k: 64 }, tower: { k: 16, layers: 2, rank: 4 } },
    { gmf: { k: 20 }, tower: { k: 32, layers: 4, rank: 8 } },
  ]) {
    test(JSON.stringify(settings), () => {
      for (const seed of [1, 2]) {
        const { net, network, vectors, last } = buildNet(settings, seed);
        const [p, q] = vectors;
        const value = () => say(p.numbers, q.numbers, network);
        near(net.say(p.at, q.at, last), value(), 'what it says', TOLERANCE);
        net.back(last);
        check(net.user, gradientBy(p.numbers, value), 'by the user');
        check(net.item, gradientBy(q.numbers, value), 'by the item');
        check(net.products, gradientBy(network.products, value), 'by the weight of product');
        check(net.numbers, gradientBy(network.numbers, value), 'by the weight of number');
        for (const [n, { w, b, up, down }] of network.layers.entries()) {
          const { x, z, t, s, ins, outs } = net.floors[n];
          const rank = settings.tower.rank;
          check(z, gradientBy(b, value), `layer ${n}, by what is added`);
          const numbers = [w, up, down].map((each) => gradientBy(each, value));
          const expected = [outer(x, z, ins, outs), outer(t, z, rank, outs), outer(s, x, rank, ins)];
          for (const [part, name] of ['W', 'A', 'B'].entries())
            for (const [at, each] of expected[part].entries())
              near(each, numbers[part][at], `layer ${n}, by ${name} ${at}`, TOLERANCE);
        }
        const without = {
          ...network,
          layers: network.layers.map((layer) => ({ ...layer, up: layer.up.map(() => 0) })),
        };
        near(net.say(p.at, q.at, last, false), say(p.numbers, q.numbers, without), 'without adapters', TOLERANCE);
        net.back(last, false);
        check(
          net.user,
          gradientBy(p.numbers, () => say(p.numbers, q.numbers, without)),
          'by the user, without adapters',
        );
      }
    });
  }
});

test('the tower narrows by halves, in whole vectors', () => {
  assert.deepEqual(layersOf({ k: 20, layers: 4 }), [
    { ins: 40, outs: 20 },
    { ins: 20, outs: 12 },
    { ins: 12, outs: 8 },
    { ins: 8, outs: 4 },
  ]);
});

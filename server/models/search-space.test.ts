import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { Aim, Plugin } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { loadPlugin } from './plugins.ts';
import { drawCandidates, requireSpace } from './search-space.ts';
import type { TunedSettings } from './tuned-settings.ts';

const PLUGINS = ['item-cf', 'mf', 'ncf', 'popularity', 'stack', 'user-cf'];

function tunable(plugin: Plugin, settings: object = {}) {
  const config = plugin.config.parse(settings);
  return { plugin, spec: { namespace: '', name: 'tuned', plugin: plugin.name, config } };
}

describe('what plugins recommend', async () => {
  for (const name of PLUGINS) {
    const plugin = await loadPlugin(name);
    test(`${name}: every value is one that its settings take`, () => {
      const variants = name === 'mf' ? ['rating', 'bpr', 'ials'].map((objective) => ({ objective })) : [{}];
      for (const settings of variants) {
        const model = tunable(plugin, settings);
        const aims = (['rating', 'ranking'] as const).filter(
          (aim) => Object.keys(plugin.tuning?.(model.spec.config as never, aim) ?? {}).length > 0,
        );
        assert(aims.length > 0);
        for (const aim of aims) assert(drawCandidates(requireSpace(model, aim), model, 8, 1).length > 0);
      }
    });
  }
});

const made = {
  name: 'made',
  config: z.strictObject({
    seed: z.int().default(1),
    rate: z.number().min(0).max(1).default(0.1),
    size: z.int().min(4).max(64).multipleOf(4).default(8),
    half: z.number().min(1).nullable().default(null),
    part: z.strictObject({ word: z.enum(['a', 'b', 'c']).default('a') }).prefault({}),
    inputs: z.array(z.string()).default([]),
  }),
  inputs: ({ inputs }: { inputs: string[] }) => inputs,
} as unknown as Plugin;
const model = tunable(made);

const configsOf = (found: readonly TunedSettings[]) => found.map(({ config }) => config as unknown);

function refusals(space: Record<string, unknown>, aim: Aim = 'rating'): Record<string, string> {
  try {
    requireSpace(model, aim, space);
  } catch (error) {
    assert(error instanceof AccreteError && error.reason === 'INVALID_FIELD');
    return Object.fromEntries(error.violations.map(({ field, description }) => [field, description]));
  }
  return {};
}

test('what makes no sense is refused, with what would', () => {
  const cases: [unknown, string, RegExp][] = [
    [[0.2], 'rte', /did you mean rate\?/],
    [[0.2, 2], 'rate', /has 2: it takes a number from 0 to 1/],
    [{ min: 0, max: 1.5 }, 'rate', /has 1.5/],
    [{ min: 0, max: 1, log: true }, 'rate', /min above 0/],
    [{ min: 0.5, max: 0.5 }, 'rate', /min below its max/],
    [{ min: 0.5 }, 'rate', /no range/],
    [{ min: 0, max: 1, step: 0.1 }, 'rate', /has "step"/],
    ['fast', 'rate', /is 'fast': send a list/],
    [[], 'rate', /has no values/],
    [Array(65).fill(0.1), 'rate', /65 values, and 64/],
    [{ min: 1, max: 2 }, 'part.word', /is a range: it takes one of/],
    [['d'], 'part.word', /has 'd'/],
    [[6], 'size', /by steps of 4/],
    [['a'], 'part', /is a section of settings: name each by its path: part\.word/],
    [['a'], 'parts', /is no setting/],
    [[['mf']], 'inputs', /changes the inputs/],
    [[0, 999], 'fuse.everyEvents', /has 999: it takes 0 for never, or a whole number from 1000/],
    [[-1], 'fuse.everyEvents', /has -1/],
    [[1000.5], 'fuse.everyEvents', /has 1000.5/],
    [['never'], 'fuse.everyEvents', /has 'never'/],
    [{ min: 500, max: 5000 }, 'fuse.everyEvents', /has 500/],
    [[1000], 'fuse', /is a section of settings: name each by its path: fuse\.everyEvents/],
    [[1000], 'fuse.everyEvent', /did you mean fuse\.everyEvents\?/],
  ];
  for (const [choices, name, description] of cases)
    assert.match(refusals({ [name]: choices })[`space["${name}"]`] ?? '', description);
  assert.match(refusals({}).space, /is empty/);
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`s${n}`, [1]]));
  assert.match(refusals(many).space, /33 settings, and 32/);
  assert.deepEqual(refusals({ half: { min: 1, max: 9, log: true }, rate: [0, 1], 'part.word': ['a', 'b'] }), {});
});

test('a plugin that recommends nothing asks for a space', () => {
  assert.throws(() => requireSpace(model, 'ranking'), {
    reason: 'CAPABILITY_MISSING',
    message: /rank better.*`space`/,
  });
});

test('a small space is tried whole, less what is live', () => {
  const space = requireSpace(model, 'rating', { 'part.word': ['a', 'b', 'c'], size: [8, 16] });
  const found = configsOf(drawCandidates(space, model, 5, 1)) as { size: number; part: { word: string } }[];
  assert.deepEqual(found.map(({ size, part }) => `${size}${part.word}`).sort(), ['16a', '16b', '16c', '8b', '8c']);
});

test('draws are of the seed, different, within bounds and of few digits', () => {
  const space = requireSpace(model, 'rating', {
    rate: { min: 0.001, max: 1, log: true },
    size: { min: 4, max: 64 },
    half: { min: 1, max: 2 },
  });
  const draw = (seed: number) =>
    configsOf(drawCandidates(space, model, 200, seed)) as { rate: number; size: number; half: number }[];
  const found = draw(7);
  assert.deepEqual(draw(7), found);
  assert.notDeepEqual(draw(8), found);
  assert.equal(new Set(found.map((config) => JSON.stringify(config))).size, 200);
  for (const { rate, size, half } of found) {
    assert(rate >= 0.001 && rate <= 1 && size % 4 === 0 && size >= 4 && size <= 64 && half >= 1 && half <= 2);
    assert.equal(rate, Number(rate.toPrecision(3)));
  }
  // By the logarithm as many are below the middle as above it.
  const low = found.filter(({ rate }) => rate < 0.0316).length;
  assert(low > 70 && low < 130, `${low}`);
});

test('a space of what is live alone has nothing to try', () => {
  assert.throws(() => drawCandidates(requireSpace(model, 'rating', { rate: [0.1] }), model, 4, 1), {
    reason: 'INVALID_FIELD',
    message: /no other settings than those that are live/,
  });
});

test('the fusion period is a setting beside those of the plugin', () => {
  const fused = { ...model, everyEvents: 5000 };
  const space = requireSpace(fused, 'rating', { 'fuse.everyEvents': [0, 2000, 5000], size: [8, 16] });
  const found = drawCandidates(space, fused, 5, 1).map(
    ({ config, fuse }) => `${(config as unknown as { size: number }).size}/${fuse.everyEvents}`,
  );
  assert.deepEqual(found.sort(), ['16/0', '16/2000', '16/5000', '8/0', '8/2000']);
  const range = requireSpace(fused, 'rating', { 'fuse.everyEvents': { min: 1000, max: 50_000, log: true } });
  for (const { fuse, config } of drawCandidates(range, fused, 50, 1)) {
    assert(Number.isInteger(fuse.everyEvents) && fuse.everyEvents >= 1000 && fuse.everyEvents <= 50_000);
    assert.deepEqual(config, model.spec.config);
  }
});

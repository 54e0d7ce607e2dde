import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { loadConfig } from './load.ts';
import { renderPluginSettings, renderReference } from './reference.ts';
import { settings } from './settings.ts';

const markdown = renderReference().get('docs/configuration.md') ?? '';
const jsonSchema = renderReference().get('docs/accrete.schema.json') ?? '';

test('every setting is in the reference, with its variable, and says what it means', () => {
  for (const { path, variable, node } of settings.values()) {
    assert(markdown.includes(`| \`${path}\` | \`${variable}\` |`), path);
    assert(node.description?.endsWith('.'), `${path} has no description that is a sentence`);
  }
});

test('every number has bounds and every number but a rating has a unit', () => {
  for (const { path, node } of settings.values()) {
    if (node.type !== 'integer' && node.type !== 'number') continue;
    assert(Math.abs(node.minimum ?? Number.NaN) <= 1e9 && Math.abs(node.maximum ?? Number.NaN) <= 1e9, path);
    assert(path.startsWith('rating.') || node.unit, path);
  }
});

test('the example of the reference is a good configuration', () => {
  const [, yaml] = /```yaml\n(.*?)```/s.exec(markdown) ?? [];
  const directory = mkdtempSync(join(tmpdir(), 'accrete-reference-'));
  try {
    writeFileSync(join(directory, 'a.yaml'), yaml);
    const { config } = loadConfig({ file: join(directory, 'a.yaml'), env: {}, flags: [] });
    assert.equal(config.models.length, 3);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the JSON Schema knows nothing but standard properties, and keeps what they said', () => {
  const schema = JSON.parse(jsonSchema);
  const budget = schema.properties.memory.properties.budgetMiB;
  assert.deepEqual([budget.type, budget.minimum, budget.maximum, budget.default], ['integer', 64, 4096, 4096]);
  assert.match(budget.description, / Unit: MiB\.$/);
  assert(!('unit' in budget) && !('form' in schema.properties.listen));
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.required, undefined);
});

test("the settings of a plugin are listed like the server's", () => {
  const schema = z.strictObject({
    seed: z.int().default(1).describe('Draws differ by it.'),
    rate: z.number().positive().max(1).default(0.1).meta({ unit: '1/rating', description: 'How fast it learns.' }),
    decay: z.number().min(0).lt(1).default(0).describe('a | b.'),
    kind: z.enum(['a', 'b']).describe('Which.'),
    limit: z
      .union([z.int().min(1).max(9), z.boolean()])
      .default(9)
      .meta({ unit: 'items', description: 'The most.' }),
    tune: z.strictObject({ every: z.int().min(1).optional().describe('When.') }).prefault({}),
  });
  assert.deepEqual(renderPluginSettings(schema).split('\n'), [
    '| key | takes | default | meaning |',
    '| --- | --- | --- | --- |',
    '| `seed` | a whole number | `1` | Draws differ by it. |',
    '| `rate` | a number above 0 up to 1 (1/rating) | `0.1` | How fast it learns. |',
    '| `decay` | a number from 0 below 1 | `0` | a \\| b. |',
    '| `kind` | one of `a`, `b` |  | Which. |',
    '| `limit` | a whole number from 1 to 9 or `true` or `false` (items) | `9` | The most. |',
    '| `tune.every` | a whole number from 1 |  | When. |',
  ]);
});

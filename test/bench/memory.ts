import { layOut } from '../../server/memory/table.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import type { Ratings } from '../data.ts';
import { pluginNames } from '../laws/subjects.ts';
import { randomNumbers } from '../support/ratings.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import type { Report } from './report.ts';
import { listModels, requireConfigHash, SHIPPED, withServer } from './server.ts';

/**
 * Bytes that models take for a user, an item and a rating: of one world beside three that have twice as many of the one and
 * as many of the others. What is counted are rows, as the server tells them, each as wide as its table declares: the bytes
 * that the server tells are of whole segments.
 */

interface Amounts {
  readonly users: number;
  readonly items: number;
  readonly ratings: number;
}

/** By model. */
type Taken = ReadonlyMap<string, { readonly bytes: number; readonly configHash: string }>;

const BASE: Amounts = { users: 1000, items: 1000, ratings: 25_000 };
const KINDS = { users: 'user', items: 'item', ratings: 'rating' } as const;
const VALUES = 5;
const FIRST_S = 1_500_000_000;
const EVERY_S = 60;
const BATCH = 1000;
const IN_FLIGHT = 32;

export async function benchMemory(report: Report): Promise<void> {
  report.heading('Memory of the models: bytes of their tables for a user, an item, a rating more');
  const shipped = new Set(SHIPPED.map(({ plugin }) => plugin));
  const others = pluginNames().filter((name) => !shipped.has(name));
  const models = [...SHIPPED, ...others.map((name) => ({ name, plugin: name, config: {} }))];
  const base = await measure(models, BASE);
  for (const [key, kind] of Object.entries(KINDS) as [keyof Amounts, string][]) {
    const larger = await measure(models, { ...BASE, [key]: 2 * BASE[key] });
    for (const [model, { bytes, configHash }] of base) {
      const value = ((larger.get(model)?.bytes ?? Number.NaN) - bytes) / BASE[key];
      report.add({ part: 'memory', name: `${model}, by ${kind}`, value, unit: 'bytes', configHash });
    }
  }
}

function measure(models: typeof SHIPPED, amounts: Amounts): Promise<Taken> {
  return withServer({ models }, async (server) => {
    await rateAll(server.client, encodeRatings(drawWorld(amounts), { batch: BATCH }), IN_FLIGHT);
    const taken = new Map<string, { bytes: number; configHash: string }>();
    for (const { name, tables } of await listModels(server)) {
      const strides = await stridesOf(models, name);
      const bytes = tables.reduce((sum, { name: table, rows }) => sum + Number(rows) * strides(table), 0);
      taken.set(name, { bytes, configHash: await requireConfigHash(server, name) });
    }
    return taken;
  });
}

/** Bytes of a row of each table of a model. */
async function stridesOf(models: typeof SHIPPED, name: string): Promise<(table: string) => number> {
  const model = models.find((other) => other.name === name);
  const plugin = await loadPlugin(model?.plugin ?? '');
  const tables = plugin.tables(plugin.config.parse(model?.config));
  // What is counted of its predictions takes as much whatever it learns.
  return (table) => (tables[table] ? layOut(tables[table].columns).stride : 0);
}

/** As many ratings of each user, of items of which some are rated much more; no two of the same pair. */
function drawWorld({ users, items, ratings: count }: Amounts): Ratings {
  const draw = randomNumbers(1);
  const seen = Array.from({ length: users }, () => new Set<number>());
  const item = new Uint32Array(count);
  for (let n = 0; n < count; n++) {
    const own = seen[n % users];
    do {
      // The first ones see to it that all items are rated.
      item[n] = n < items ? n : Math.floor(draw() ** 2 * items);
    } while (own.has(item[n]));
    own.add(item[n]);
  }
  return {
    count,
    user: Uint32Array.from(item, (_, n) => n % users),
    item,
    value: Float64Array.from(item, () => 1 + Math.floor(VALUES * draw())),
    time: Float64Array.from(item, (_, n) => FIRST_S + n * EVERY_S),
  };
}

import { parseArgs } from 'node:util';
import { loadPlugin } from '../../server/models/plugins.ts';
import { find1mHalf, find100k, findMovieLensSmall } from '../data.ts';
import { type StreamFigures, type StreamSettings, streamFigures } from './stream-figures.ts';

/**
 * Prints how well one plugin predicts and ranks every rating before it learns it, and what that costs. In process.
 *
 *     sh setup/run.sh test/evaluation/figures.ts PLUGIN [--set 100k,small,1m] [--ranking none,events,seconds]
 *                                                      [--config JSON] [--first EVENTS] [--refit EVENTS]
 */

const SETS = {
  '100k': { name: 'ml-100k', find: find100k, scale: { min: 1, max: 5 } },
  small: {
    name: 'ml-latest-small',
    find: findMovieLensSmall,
    scale: { min: 0.5, max: 5 },
  },
  '1m': { name: 'ml-1m, timed half', find: find1mHalf, scale: { min: 1, max: 5 } },
} as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', default: '100k,small,1m' },
    ranking: { type: 'string', default: 'none' },
    config: { type: 'string', default: '{}' },
    refit: { type: 'string', default: '0' },
    first: { type: 'string', default: 'Infinity' },
  },
});

const plugin = await loadPlugin(positionals[0]);
const config = plugin.config.parse(JSON.parse(values.config));

for (const set of values.set.split(',')) {
  const { name, find, scale } = SETS[set as keyof typeof SETS];
  const { skip, ratings: all } = find();
  if (!all) {
    console.log(`${name}: ${skip}`);
    continue;
  }
  const ratings = { ...all, count: Math.min(all.count, Number(values.first)) };
  for (const ranking of values.ranking.split(',') as StreamSettings['ranking'][]) {
    const settings = { scale, ranking, refitEvery: Number(values.refit) };
    print(`${name} (${ratings.count} ratings)`, ranking, await streamFigures(plugin, config, ratings, settings));
  }
}

function print(name: string, ranking: string, { events, rmse, mae, ranked, spent, cpu, bytes }: StreamFigures): void {
  const micros = (ms: number) => ((1000 * ms) / events).toFixed(2);
  const MiB = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
  console.log(`${name}: RMSE ${rmse.toFixed(4)} MAE ${mae.toFixed(4)}`);
  console.log(`  us an event: predict ${micros(spent.predicting)}, learn ${micros(spent.learning)}`);
  console.log(`  us of the processor an event, host and rankings included: ${(cpu / events).toFixed(2)}`);
  console.log(`  tables: ${[...bytes].map(([table, count]) => `${table} ${MiB(count)}`).join(', ')}`);
  for (const [head, { count, hitRate, ndcg }] of ranked)
    console.log(`  by ${ranking}, ${head}: HR@10 ${hitRate.toFixed(4)} NDCG@10 ${ndcg.toFixed(4)} of ${count}`);
}

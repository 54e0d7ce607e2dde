import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { struct, timestamp } from '../../clients/node/client.mjs';
import { open } from './open.mjs';

const MOVIELENS = new URL('../../test/data/ml-latest-small/', import.meta.url);
const BATCH = 5000;
const linesOf = (name) => readFileSync(new URL(name, MOVIELENS), 'utf8').trim().split(/\r?\n/).slice(1);

const client = await open(new URL('movies.yaml', import.meta.url));

// Ratings in the order of time, since what is live is learned in the order of arrival.
const ratings = linesOf('ratings.csv')
  .map((line) => line.split(','))
  .sort((a, b) => a[3] - b[3])
  .map(([userId, itemId, value, time]) => ({
    userId,
    itemId,
    value: Number(value),
    eventTime: timestamp(time * 1000),
  }));
for (let from = 0; from < ratings.length; from += BATCH)
  await client.rate({ requestId: `movielens-${from}`, ratings: ratings.slice(from, from + BATCH) });

const items = linesOf('movies.csv').map((line) => {
  const [, itemId, quoted, plain, genres] = /^(\d+),(?:"(.*)"|([^"]*)),([^,]*)$/.exec(line);
  const title = (quoted ?? plain).replaceAll('""', '"');
  const year = Number(/\((\d{4})\)\s*$/.exec(title)?.[1]);
  const categories = genres === '(no genres listed)' ? [] : genres.split('|');
  return { itemId, title, categories, attributes: struct(year ? { year } : {}) };
});
for (let from = 0; from < items.length; from += BATCH)
  await client.upsertItems({ items: items.slice(from, from + BATCH) });
console.log(`${ratings.length} ratings of ${items.length} movies`);

const movies = new Map(items.map((item) => [item.itemId, item]));
const yearOf = (itemId) => movies.get(itemId).attributes.fields.year?.numberValue;
const categoriesOf = (itemId) => movies.get(itemId).categories;
const show = (what, { items }) => {
  console.log(`\n${what}`);
  for (const { itemId } of items) console.log(`  ${movies.get(itemId).title}  ${categoriesOf(itemId).join(', ')}`);
};

// A new user: Groundhog Day, The Big Lebowski, Fargo, Snatch; not Titanic.
const opinions = { 1265: 5, 1732: 5, 608: 4.5, 4011: 4.5, 1721: 1 };
const { revision } = await client.rate({
  requestId: 'dora-1',
  ratings: Object.entries(opinions).map(([itemId, value]) => ({ userId: 'dora', itemId, value })),
});

const filter = 'categories:"Comedy" AND attributes.year >= 1990';
const comedies = await client.recommend({ userId: 'dora', filter, explain: true, minRevision: revision });
show(`For dora, ${filter}`, comedies);
assert(comedies.items.length > 0);
assert(comedies.items.every(({ itemId }) => categoriesOf(itemId).includes('Comedy') && yearOf(itemId) >= 1990));
assert(comedies.items.every(({ itemId }) => !(itemId in opinions)));

const [best] = comedies.items;
console.log(`\nWhy ${movies.get(best.itemId).title} has ${best.score.toFixed(2)}:`);
for (const { itemId, term, value } of best.explanation.contributions)
  console.log(`  ${value >= 0 ? '+' : ''}${value.toFixed(2)}  ${itemId ? movies.get(itemId).title : term}`);

const alike = await client.recommend({ itemId: '1', filter: 'categories:"Children"', pageSize: 5 });
show('More like Toy Story, for children', alike);
assert.equal(alike.items.length, 5);
assert(alike.items.every(({ itemId }) => itemId !== '1'));

const close = await client.recommend({ userId: 'dora' });
const varied = await client.recommend({ userId: 'dora', diversity: 0.5 });
show('For dora', close);
show('The same, with a diversity of 0.5', varied);
assert.notDeepEqual(idsOf(varied), idsOf(close));

console.log('\nLive error: each rating was predicted before it was learned');
for await (const { report } of client.evaluate({ protocol: 'EVALUATION_PROTOCOL_PREQUENTIAL' }))
  for (const { model, metric, value, window } of report?.rows ?? [])
    if (window === 'total') console.log(`  ${model.padEnd(11)}${metric.padEnd(12)}${value.toFixed(4)}`);

const table = [];
for await (const { batch } of client.exportRatings({}))
  for (const { userId, itemId, value, eventTime } of batch?.ratings ?? [])
    table.push(`${userId},${itemId},${value},${eventTime.seconds}`);
console.log(`\nFor an offline trainer: ${table.length} lines such as ${table.at(-1)}`);
assert.equal(table.length, ratings.length + Object.keys(opinions).length);

await client.close();

function idsOf({ items }) {
  return items.map(({ itemId }) => itemId);
}

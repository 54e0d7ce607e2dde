import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Item } from '../../proto/gen/accrete/v1/catalog.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** A filtered list is the whole list, filtered afterwards by a plain reading of what the filter says. */

const SEED = 11;
const ITEMS = 150;
const ROUNDS = 40;
const { client } = await TestServer.start({ after });
const random = randomNumbers(SEED);
const draw = (count: number) => Math.floor(random() * count);
const pick = <Value>(values: readonly Value[]): Value => values[draw(values.length)];
const TEXTS = ['a', 'b', '10', 'true', 'd"q'] as const;
const NUMBERS = [-1.5, 0, 2, 10] as const;

type Known = Pick<Item, 'categories' | 'labels' | 'attributes'>;
const catalogue = new Map<string, Known>();
const nothing: Known = { categories: [], labels: [], attributes: undefined };

function drawKnown(): Known {
  const some = () => TEXTS.filter(() => random() < 0.3);
  const value = () => pick([pick(TEXTS), pick(NUMBERS), random() < 0.5, [...some(), pick(NUMBERS)], null]);
  return { categories: some(), labels: some(), attributes: { n: pick(NUMBERS), x: value() } };
}

for (let n = 0; n < ITEMS; n++) catalogue.set(`item-${n}`, n % 5 === 0 ? nothing : drawKnown());
await client.rate([...catalogue.keys()].map((id) => rating(`user-${draw(20)}`, id, 1 + draw(5))));
await client.rate([rating('reader', 'item-1', 5)]);
await tell([...catalogue].filter(([, known]) => known !== nothing));

function tell(items: readonly (readonly [string, Known])[]) {
  return client.upsertItems(items.map(([itemId, known]) => Item.fromPartial({ itemId, ...known })));
}

/** A filter as text, and which items it lets through. */
interface Filter {
  readonly text: string;
  readonly holds: (known: Known) => boolean;
}

const FIELDS = ['categories', 'labels', 'attributes.n', 'attributes.x', 'attributes.none'] as const;

/** What an item has in a field, as texts and numbers. */
function valuesOf(known: Known, field: string): (string | number)[] {
  if (field === 'categories' || field === 'labels') return [...known[field]];
  const value = known.attributes?.[field.slice('attributes.'.length)];
  const members: unknown[] = Array.isArray(value) ? value : [value];
  return members
    .filter((member) => member !== null && member !== undefined)
    .map((member) => (typeof member === 'number' ? member : String(member)));
}

const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

function drawCondition(): Filter {
  const field = pick(FIELDS);
  const some = (test: (value: string | number) => boolean) => (known: Known) => valuesOf(known, field).some(test);
  if (random() < 0.1) return { text: `${field}:*`, holds: some(() => true) };
  if (random() < 0.4) {
    const text = pick(TEXTS);
    const negated = random() < 0.3;
    const holds = some((value) => value === text);
    return negated
      ? { text: `${field} != ${quote(text)}`, holds: (known) => !holds(known) }
      : { text: `${field}${pick([':', '=', ' = '])}${quote(text)}`, holds };
  }
  const number = pick(NUMBERS);
  const [comparator, compare] = pick<[string, (value: number) => boolean]>([
    ['=', (value) => value === number],
    ['<', (value) => value < number],
    ['<=', (value) => value <= number],
    ['>', (value) => value > number],
    ['>=', (value) => value >= number],
  ]);
  // Written as a number it is compared with numbers, and by `=` with equal texts too.
  const holds = some((value) =>
    typeof value === 'number' ? compare(value) : comparator === '=' && value === String(number),
  );
  return { text: `${field} ${comparator} ${number}`, holds };
}

function drawFilter(depth: number): Filter {
  if (depth === 0 || random() < 0.3) return drawCondition();
  const [one, other] = [drawFilter(depth - 1), drawFilter(depth - 1)];
  switch (draw(3)) {
    case 0:
      return { text: `NOT (${one.text})`, holds: (known) => !one.holds(known) };
    case 1:
      return { text: `(${one.text}) AND (${other.text})`, holds: (known) => one.holds(known) && other.holds(known) };
    default:
      return { text: `(${one.text}) OR (${other.text})`, holds: (known) => one.holds(known) || other.holds(known) };
  }
}

const idsOf = (items: readonly { readonly itemId: string }[]) => items.map(({ itemId }) => itemId);

test(`random filters over a catalogue that changes (seed ${SEED})`, async () => {
  let [most, least] = [0, ITEMS];
  for (let round = 0; round < ROUNDS; round++) {
    const filter = drawFilter(3);
    const scenario = drawFilter(1);
    await client.putScenario({ name: 'narrow', filter: scenario.text });
    const holds = (id: string) => filter.holds(catalogue.get(id) as Known);
    const alsoHolds = (id: string) => holds(id) && scenario.holds(catalogue.get(id) as Known);
    const whole = idsOf((await client.recommend('reader', { pageSize: 1000 })).items);
    assert.equal(whole.length, ITEMS - 1);
    const asked = { filter: filter.text, pageSize: 1000 };
    const says = `round ${round}: ${filter.text}, with ${scenario.text}`;
    const found = idsOf((await client.recommend('reader', asked)).items);
    assert.deepEqual(found, whole.filter(holds), says);
    const candidateItemIds = whole.filter((_id, n) => n === 0 || random() < 0.2);
    const some = idsOf((await client.recommend('reader', { ...asked, candidateItemIds })).items);
    assert.deepEqual(
      some,
      found.filter((id) => candidateItemIds.includes(id)),
      says,
    );
    const both = idsOf((await client.recommend('reader', { ...asked, scenario: 'narrow' })).items);
    assert.deepEqual(both, whole.filter(alsoHolds), says);
    assert.deepEqual(idsOf((await client.listItems(asked)).items), [...catalogue.keys()].filter(holds), says);
    [most, least] = [Math.max(most, found.length), Math.min(least, found.length)];
    const changed = [`item-${draw(ITEMS)}`, `item-${ITEMS - 1}`].map((id) => [id, drawKnown()] as const);
    for (const [id, known] of changed) catalogue.set(id, known);
    await tell([...new Map(changed)]);
  }
  assert(most > ITEMS / 2 && least < ITEMS / 10, `from ${least} to ${most} items`);
});

test('of an unknown candidate no condition holds', async () => {
  const ask = async (filter: string) =>
    idsOf((await client.recommend('reader', { filter, candidateItemIds: ['unheard-of'] })).items);
  assert.deepEqual(await ask('labels:a'), []);
  assert.deepEqual(await ask('NOT labels:a'), ['unheard-of']);
});

test('mistakes are told by their place, those of a scenario too', async () => {
  for (const [filter, place] of [
    ['labels:', 8],
    ['(labels:a', 10],
    ['labels:a OR OR labels:b', 13],
    ['title:a', 1],
    ['labels:a)', 9],
    ['labels:"a', 10],
  ] as const) {
    const failure = await failureOf(client.recommend('reader', { filter }));
    assert.deepEqual(
      [failure.code, failure.reason, Object.keys(failure.fields)],
      ['INVALID_ARGUMENT', 'INVALID_FIELD', ['filter']],
    );
    assert.match(failure.fields.filter, new RegExp(`at character ${place}\\b.*expected`), filter);
    const scenario = await failureOf(client.putScenario({ name: 'wrong', filter }));
    assert.deepEqual(scenario.fields, { 'scenario.filter': failure.fields.filter });
  }
  const long = await failureOf(client.recommend('reader', { filter: `labels:${'a'.repeat(4096)}` }));
  assert.deepEqual(Object.keys(long.fields), ['filter']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Columns, parseColumns } from './columns.ts';
import type { Separator } from './fields.ts';
import { ratingForm } from './rating-form.ts';

const USUAL = { user: 0, item: 1, value: 2, time: 3 };

interface Layout {
  readonly separator: Separator;
  readonly columns: Columns;
  readonly width: number;
  readonly header: boolean;
}

function findLayout(row: string, named?: string, kind?: string) {
  return ratingForm({ columns: named === undefined ? undefined : parseColumns(named), kind }).findLayout(row);
}

const known: { what: string; row: string; named?: string; kind?: string; layout: Layout }[] = [
  {
    what: 'MovieLens with a header',
    row: 'userId,movieId,rating,timestamp',
    layout: { separator: ',', columns: USUAL, width: 4, header: true },
  },
  {
    what: 'MovieLens 100K',
    row: '196\t242\t3\t881250949',
    layout: { separator: '\t', columns: USUAL, width: 4, header: false },
  },
  {
    what: 'MovieLens 1M',
    row: '1::1193::5::978300760',
    layout: { separator: '::', columns: USUAL, width: 4, header: false },
  },
  {
    what: 'no time',
    row: 'ada,tea,5',
    layout: { separator: ',', columns: { user: 0, item: 1, value: 2 }, width: 3, header: false },
  },
  {
    what: 'another order, and columns of no use',
    row: 'Event_Time,note,"rating",Item ID,user_id,weight',
    layout: { separator: ',', columns: { user: 4, item: 3, value: 2, time: 0, weight: 5 }, width: 6, header: true },
  },
  {
    what: 'a header with tabs',
    row: 'item\tuser\tvalue',
    layout: { separator: '\t', columns: { user: 1, item: 0, value: 2 }, width: 3, header: true },
  },
  {
    what: 'ids that hold other separators',
    row: 'user::1,item::2,5',
    layout: { separator: ',', columns: { user: 0, item: 1, value: 2 }, width: 3, header: false },
  },
  {
    what: 'named columns',
    row: '2001-09-09,5,x,tea,ada',
    named: 'time,value,_,item,user',
    layout: { separator: ',', columns: { time: 0, value: 1, item: 3, user: 4 }, width: 5, header: false },
  },
  {
    what: 'named columns under a header in words of its own',
    row: 'who,what,stars',
    named: 'user,item,value',
    layout: { separator: ',', columns: { user: 0, item: 1, value: 2 }, width: 3, header: true },
  },
  {
    what: 'what an export writes',
    row: 'user,item,value,time,weight,kind,retract,recommendation_id',
    layout: {
      separator: ',',
      columns: { user: 0, item: 1, value: 2, time: 3, weight: 4, kind: 5, retract: 6, recommendation_id: 7 },
      width: 8,
      header: true,
    },
  },
  {
    what: 'events of one kind under a header',
    row: 'timestamp,user,item',
    kind: 'click',
    layout: { separator: ',', columns: { time: 0, user: 1, item: 2 }, width: 3, header: true },
  },
  {
    what: 'events of one kind without one',
    row: 'ada,tea,978300760',
    kind: 'click',
    layout: { separator: ',', columns: { user: 0, item: 1, time: 2 }, width: 3, header: false },
  },
  {
    what: 'events of one kind without times',
    row: 'ada\ttea',
    kind: 'click',
    layout: { separator: '\t', columns: { user: 0, item: 1 }, width: 2, header: false },
  },
  {
    what: 'named columns of events under a header',
    row: 'item,user',
    named: 'item,user',
    kind: 'click',
    layout: { separator: ',', columns: { user: 1, item: 0 }, width: 2, header: true },
  },
];

/** Which field is what is seen by reading a row whose fields are their own numbers. */
for (const { what, row, named, kind, layout: expected } of known) {
  test(`layout: ${what}`, () => {
    const layout = findLayout(row, named, kind);
    assert.ok(typeof layout !== 'string');
    const { separator, columns, width, header } = expected;
    assert.deepEqual([layout.separator, layout.width, layout.header], [separator, width, header]);
    const rating = layout.read(
      Array.from({ length: width }, (_, n) => String(n)).with(
        columns.retract ?? width - 1,
        columns.retract ? 'true' : String(width - 1),
      ),
      7,
    );
    assert.ok(typeof rating !== 'string');
    const at = (column: number | undefined) => (column === undefined ? undefined : column);
    assert.deepEqual(rating, {
      line: 7,
      user: String(columns.user),
      item: String(columns.item),
      value: at(columns.value),
      time: columns.time === undefined ? undefined : { seconds: columns.time, nanos: 0 },
      weight: at(columns.weight),
      kind: columns.kind === undefined ? (kind ?? '') : String(columns.kind),
      retract: columns.retract !== undefined,
      recommendationId: String(columns.recommendation_id ?? ''),
    });
  });
}

const unknown: { what: string; row: string; named?: string; problem: RegExp }[] = [
  { what: 'one field', row: 'hello', problem: /has no user, item and value/ },
  { what: 'events, without saying of which kind', row: 'user,item,time', problem: /neither a rating/ },
  { what: 'a header that names nothing known', row: 'a,b,c', problem: /neither a rating .* nor a header .* --columns/ },
  { what: 'a first row that is no rating', row: '1,2,five,978300760', problem: /neither a rating/ },
  {
    what: 'a bad row under named columns',
    row: '1,2,five,978300760',
    named: 'user,item,value,time',
    problem: /neither a rating .* nor words/,
  },
  { what: 'fewer fields than named', row: '1,2,5', named: 'user,item,value,time', problem: /neither a rating/ },
  { what: 'quotes that do not match', row: '"1,2,5', problem: /has no user, item and value/ },
];

for (const { what, row, named, problem } of unknown) {
  test(`no layout: ${what}`, () => {
    const layout = findLayout(row, named);
    assert.match(String(layout), problem);
  });
}

const mistakes: [names: string, problem: RegExp][] = [
  ['user,value', /user and item are needed/],
  ['user,item,value,user', /user is named twice/],
  [
    'user,itme,value',
    /"itme" is no column: name user, item, value, time, weight, kind, retract, recommendation_id, or _/,
  ],
  ['user,,item,value', /"" is no column/],
];

for (const [names, problem] of mistakes) {
  test(`--columns ${names} is refused`, () => assert.throws(() => parseColumns(names), problem));
}

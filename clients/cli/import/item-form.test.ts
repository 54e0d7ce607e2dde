import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Item } from '../../../proto/gen/accrete/v1/catalog.ts';
import { itemForm } from './item-form.ts';
import { LineSplitter } from './lines.ts';
import { LayoutError, RowReader } from './row-reader.ts';

/** The items of a file, as protobuf writes them in JSON, or what is wrong with a row. */
function read(text: string, columns?: readonly string[]): unknown[] {
  const splitter = new LineSplitter();
  const reader = new RowReader(itemForm(columns));
  const rows = [...reader.read([...splitter.push(Buffer.from(text)), ...splitter.end()]), ...reader.end()];
  return rows.map((row) => ('problem' in row ? `${row.line} ${row.problem}` : Item.toJSON(row.item)));
}

test('movies by MovieLens: genres are categories, and the year of the title is an attribute', () => {
  const file =
    'movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n2,"Babylon, the 5th",(no genres listed)\n' +
    '3,"Cidade (City) (2002) ",Crime\n';
  assert.deepEqual(read(file), [
    { itemId: '1', title: 'Toy Story (1995)', categories: ['Adventure', 'Children'], attributes: { year: 1995 } },
    { itemId: '2', title: 'Babylon, the 5th' },
    { itemId: '3', title: 'Cidade (City) (2002) ', categories: ['Crime'], attributes: { year: 2002 } },
  ]);
  const [other] = read('movieId,name,genres\n1,Toy Story (1995),(no genres listed)\n');
  assert.deepEqual(other, { itemId: '1', title: 'Toy Story (1995)', categories: ['(no genres listed)'] });
});

test('any other column is an attribute: a number, a truth value or a text', () => {
  const file =
    'title\tItem ID\tlabels\tprice\trelease date\tcode\tnew\tavailable\tavailable_from\tavailableUntil\tid\n' +
    'Tea\tt1\tnew| sale |\t4.50\t2020-01-01\t007\tTrue\tfalse\t2020-01-01\t978300760.5\tx\n' +
    '\tt2\t\t\t\t\t\t\t\t\t\n';
  assert.deepEqual(read(file), [
    {
      itemId: 't1',
      title: 'Tea',
      labels: ['new', 'sale'],
      attributes: { price: 4.5, release_date: '2020-01-01', code: '007', new: true, id: 'x' },
      available: false,
      availableFrom: '2020-01-01T00:00:00.000Z',
      availableUntil: '2000-12-31T22:12:40.500Z',
    },
    { itemId: 't2' },
  ]);
});

test('JSON Lines: lists, attributes and embeddings as they are', () => {
  const lines = [
    { item_id: 't1', title: 'Tea', categories: ['a|b'], labels: 'x|y', attributes: { price: 4.5 }, sizes: [1, 2] },
    { id: 2, genres: null, embeddings: { clip: [0.5, 1], text: { values: [2] } }, available: true },
    { id: 't3', embeddings: [1] },
    { id: 't4', categories: [1] },
    { title: 'none' },
  ];
  assert.deepEqual(read(lines.map((line) => JSON.stringify(line)).join('\n')), [
    { itemId: 't1', title: 'Tea', categories: ['a|b'], labels: ['x', 'y'], attributes: { price: 4.5, sizes: [1, 2] } },
    { itemId: '2', embeddings: { clip: { values: [0.5, 1] }, text: { values: [2] } }, available: true },
    '3 is no item: embeddings must be lists of numbers by name',
    '4 is no item: categories and labels must be lists of texts',
    '5 is no item: the id is empty',
  ]);
});

test('JSON Lines: what is nested gets dotted names, as far as the server is to judge it', () => {
  const deep = (depth: number): object => (depth === 0 ? { x: 1 } : { n: deep(depth - 1) });
  const lines = [
    { id: 't1', specs: { ram: 8, cpu: { cores: [2, 4] }, note: null }, attributes: { box: { width: 3 }, gone: null } },
    { id: 't2', a: deep(6) },
    { id: 't3', a: deep(7) },
  ];
  assert.deepEqual(read(lines.map((line) => JSON.stringify(line)).join('\n')), [
    { itemId: 't1', attributes: { 'box.width': 3, 'specs.ram': 8, 'specs.cpu.cores': [2, 4] } },
    { itemId: 't2', attributes: { 'a.n.n.n.n.n.n.x': 1 } },
    { itemId: 't3', attributes: { 'a.n.n.n.n.n.n.n': { x: 1 } } },
  ]);
});

test('named columns stand in for a header, or for its words', () => {
  const expected = [{ itemId: 't1', title: 'Tea', attributes: { price: 4 } }];
  assert.deepEqual(read('t1::x::Tea::4\n', ['item_id', '_', 'title', 'price']), expected);
  assert.deepEqual(read('id,what,label,cost\nt1,x,Tea,4\n', ['item_id', '_', 'title', 'price']), expected);
});

test('a header of ratings may be one of items after all', () => {
  const file = 'user,item,rating\nada,t1,4\n';
  assert.deepEqual(read(file, ['owner', 'item', 'rating']), [
    { itemId: 't1', attributes: { owner: 'ada', rating: 4 } },
  ]);
});

test('bad rows are told', () => {
  const file = 'item_id,available,available_from\n,,\nt1,perhaps,\nt2,,noon\nt3,true\n';
  assert.deepEqual(read(file), [
    '2 is no item: the id is empty',
    '3 is no item: available is "perhaps", neither true nor false',
    '4 is no item: available_from is "noon", neither seconds, milliseconds nor ISO 8601',
    '5 has 2 instead of 3 fields',
  ]);
  const refused = (text: string, columns?: string[]) =>
    assert.throws(
      () => read(text, columns),
      (error) => error instanceof LayoutError && /^line 1 /.test(error.message),
    );
  refused('userId,movieId,rating,timestamp\n1,1,4.0,964982703\n');
  refused('t1,Tea,Drinks\n');
  refused('hello\n');
  refused('t1,Tea\n', ['item_id', 'title', 'price']);
});

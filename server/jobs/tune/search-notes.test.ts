import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { SearchNotes } from './search-notes.ts';
import type { Trial } from './trial.ts';

const trial = (loss: number): Trial => ({ loss, figures: [{ metric: 'rmse', value: loss, count: 9 }], failure: '' });
const current = () => true;

test('what was noted is there again, of the window that it is of', (t) => {
  const state = makeFolder(t);
  const notes = SearchNotes.open(state, 'a', 70, current);
  notes.add(
    0,
    new Map([
      [0, trial(1)],
      [1, { loss: undefined, figures: [], failure: 'it threw' }],
    ]),
  );
  notes.add(1, new Map([[0, trial(2)]]));
  notes.close();
  const again = SearchNotes.open(state, 'a', 90, (last) => last === 70);
  assert.equal(again.last, 70);
  assert.deepEqual([again.find(0, 0), again.find(1, 0), again.find(1, 1)], [trial(1), trial(2), undefined]);
  assert.equal(again.find(0, 1)?.failure, 'it threw');
  again.close();
  assert.equal(SearchNotes.open(state, 'b', 90, current).find(0, 0), undefined);
});

test('notes of a window that is over are begun anew', (t) => {
  const state = makeFolder(t);
  const notes = SearchNotes.open(state, 'a', 70, current);
  notes.add(0, new Map([[0, trial(1)]]));
  notes.close();
  const anew = SearchNotes.open(state, 'a', 90, () => false);
  assert.deepEqual([anew.last, anew.find(0, 0)], [90, undefined]);
  anew.close();
  assert.equal(SearchNotes.open(state, 'a', 99, current).last, 90);
});

test('what is damaged or half written is done again, and what stands before it is not', (t) => {
  const state = makeFolder(t);
  const notes = SearchNotes.open(state, 'a', 70, current);
  notes.add(0, new Map([[0, trial(1)]]));
  notes.add(0, new Map([[1, trial(2)]]));
  notes.close();
  const path = join(state, 'searches', 'a.notes');
  const whole = readFileSync(path);
  truncateSync(path, whole.length - 3);
  const cut = SearchNotes.open(state, 'a', 90, current);
  assert.deepEqual([cut.last, cut.find(0, 0), cut.find(0, 1)], [70, trial(1), undefined]);
  cut.add(0, new Map([[1, trial(3)]]));
  cut.close();
  const after = SearchNotes.open(state, 'a', 90, current);
  assert.deepEqual(after.find(0, 1), trial(3));
  after.close();
  const flipped = Buffer.from(whole);
  flipped[12] ^= 1;
  writeFileSync(path, flipped);
  assert.equal(SearchNotes.open(state, 'a', 90, current).last, 90);
  appendFileSync(path, Buffer.alloc(17 * 2 ** 20));
  assert.equal(SearchNotes.open(state, 'a', 91, current).last, 91);
});

test('only the latest searches are kept, and where nothing can be written a search goes on', (t) => {
  const state = makeFolder(t);
  for (let n = 0; n < 12; n++) {
    SearchNotes.open(state, `k${n}`, 1, current).close();
    utimesSync(join(state, 'searches', `k${n}.notes`), n, n);
  }
  SearchNotes.open(state, 'last', 1, current).close();
  assert.equal(readdirSync(join(state, 'searches')).length, 8);
  assert(readdirSync(join(state, 'searches')).includes('k11.notes'));
  SearchNotes.remove(state, 'last');
  assert.equal(readdirSync(join(state, 'searches')).length, 7);
  const closed = join(makeFolder(t), 'file');
  writeFileSync(closed, '');
  const notes = SearchNotes.open(closed, 'a', 5, current);
  notes.add(0, new Map([[0, trial(1)]]));
  assert.deepEqual([notes.last, notes.find(0, 0)], [5, trial(1)]);
  notes.close();
});

test('notes that another search removes meanwhile are no obstacle', (t) => {
  const state = makeFolder(t);
  mkdirSync(join(state, 'searches'));
  // Listed, and not there: as one that goes between the two looks.
  symlinkSync(join(state, 'gone'), join(state, 'searches', 'b.notes'));
  SearchNotes.open(state, 'a', 70, current).close();
  assert.equal(SearchNotes.open(state, 'a', 90, current).last, 70);
});

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DamageMark } from '../store/damage-mark.ts';
import { makeChain, openIn } from '../store/journal-fixture.ts';
import { FREE_ROOT_AT, PAGE_HEADER_BYTES, TRANSACTION_AT, USUAL_PAGE_BYTES } from '../store/link-layout.ts';
import { readPast } from './read-past.ts';

/** What a start looks at although it need not learn it. */

const PACE = 2 ** 30;

test('what is damaged of a full link besides its records stops the start too, until it is put right', async (t) => {
  const { directory, links } = await makeChain(t);
  const path = join(directory, links[0]);
  copyFileSync(path, `${path}.good`);
  const bytes = readFileSync(path);
  const transactionOf = (meta: number) => bytes.readBigUInt64LE(meta + TRANSACTION_AT);
  const newer = transactionOf(USUAL_PAGE_BYTES) > transactionOf(0) ? USUAL_PAGE_BYTES : 0;
  const freeRoot = USUAL_PAGE_BYTES * Number(bytes.readBigUInt64LE(newer + FREE_ROOT_AT));
  bytes.fill(0xff, freeRoot, freeRoot + PAGE_HEADER_BYTES);
  writeFileSync(path, bytes);

  const journal = await openIn(t, directory);
  const mark = new DamageMark(directory);
  mark.set();
  assert.throws(() => readPast(journal, mark, PACE, 0), { reason: 'STORE_DAMAGED', message: /free list/ });
  assert(mark.isSet);
  copyFileSync(`${path}.good`, path);
  assert.equal(readPast(journal, mark, PACE, 0), 0);
  assert(!mark.isSet);
});

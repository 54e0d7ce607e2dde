import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Output } from './output.ts';
import { watch } from './watch.ts';

/** A terminal of 12 columns and 4 rows. */
function terminal() {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 12, rows: 4, hasColors: () => false });
  return { stdout, output: new Output(false, stdout as unknown as NodeJS.WriteStream) };
}

test('on a terminal each sight is drawn over the one before, as much as fits', async () => {
  const { stdout, output } = terminal();
  let looks = 0;
  const look = async () => {
    if (++looks === 3) throw new Error('enough');
    const rows = [['a'], ['b'], ['a cell that is long']].slice(0, looks + 1);
    return { document: {}, heading: `look ${looks}`, table: { columns: [{ name: 'name' }], rows } };
  };
  await assert.rejects(watch(output, 0.001, look), { message: 'enough' });
  assert.equal(String(stdout.read()), '\x1b[0Jlook 1\nNAME\na\n\x1b[3A\x1b[0Jlook 2\nNAME\na\n');
});

test('lines that are too long for the terminal are cut off', async () => {
  const { stdout, output } = terminal();
  let looks = 0;
  const look = async () => {
    if (++looks === 2) throw new Error('enough');
    return { document: {}, heading: 'a heading that is long', table: { columns: [{ name: 'name' }], rows: [] } };
  };
  await assert.rejects(watch(output, 0.001, look));
  assert.equal(String(stdout.read()), '\x1b[0Ja heading th\nNAME\n');
});

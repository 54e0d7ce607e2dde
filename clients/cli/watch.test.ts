import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Output } from './output.ts';
import { watch } from './watch.ts';

function terminal(columns = 12, rows = 4) {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows, hasColors: () => false });
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

for (const [what, columns, shown] of [
  ['lines that are too long for the terminal are cut off', 12, 'a heading th'],
  ['a terminal that does not tell its size gets all of them', 0, 'a heading that is long'],
] as const) {
  test(what, async () => {
    const { stdout, output } = terminal(columns, columns === 0 ? 0 : 4);
    let looks = 0;
    const look = async () => {
      if (++looks === 2) throw new Error('enough');
      return { document: {}, heading: 'a heading that is long', table: { columns: [{ name: 'name' }], rows: [] } };
    };
    await assert.rejects(watch(output, 0.001, look));
    assert.equal(String(stdout.read()), `\x1b[0J${shown}\nNAME\n`);
  });
}

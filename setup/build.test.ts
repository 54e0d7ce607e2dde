import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bringUpToDate, findFiles, writeWhole } from './build.mjs';

/** A target in a folder of its own that counts how often it is made, and fails when its input says so. */
function prepareTarget() {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-build-'));
  const [input, output, stamps] = [`${folder}/input`, `${folder}/output`, `${folder}/stamps.json`];
  writeFileSync(input, 'one');
  let made = 0;
  const said: string[] = [];
  const target = {
    output,
    inputs: [input],
    describe: 'making the output of a test',
    make: async () => {
      made++;
      if (readFileSync(input, 'utf8') === 'broken') throw new Error('broken');
      writeWhole(output, readFileSync(input));
    },
  };
  const bring = () => bringUpToDate([target], stamps, (line) => said.push(line));
  return { folder, input, output, bring, made: () => made, said };
}

test('a target is made when its input or output says so, and only then', async () => {
  const { folder, input, output, bring, made, said } = prepareTarget();
  await bring();
  assert.deepEqual(said, ['making the output of a test', said[1]]);
  await bring();
  assert.equal(made(), 1);
  assert.equal(said.length, 2, 'silent when nothing is to do');
  writeFileSync(input, 'two');
  await bring();
  assert.equal(made(), 2);
  assert.equal(readFileSync(output, 'utf8'), 'two');
  rmSync(output);
  await bring();
  assert.equal(made(), 3);
  rmSync(folder, { recursive: true });
});

test('a target that failed is made again, although its output is there', async () => {
  const { folder, input, bring, made } = prepareTarget();
  await bring();
  writeFileSync(input, 'broken');
  await assert.rejects(bring(), /broken/);
  await assert.rejects(bring(), /broken/);
  assert.equal(made(), 3);
  rmSync(folder, { recursive: true });
});

test('files are found by the end of their names at any depth, but not in packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-find-'));
  for (const name of ['a.as.ts', 'b/c.as.ts', 'b/d.ts', 'node_modules/e.as.ts']) writeWhole(`${folder}/${name}`, '');
  mkdirSync(`${folder}/empty`);
  assert.deepEqual(findFiles(folder, '.as.ts').sort(), [`${folder}/a.as.ts`, `${folder}/b/c.as.ts`]);
  assert.deepEqual(findFiles(`${folder}/missing`, ''), []);
  rmSync(folder, { recursive: true });
});

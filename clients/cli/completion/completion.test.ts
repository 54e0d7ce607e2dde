import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createProgram } from '../program.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { type Spot, spotsOf } from './spots.ts';
import { zshScript } from './zsh.ts';

/** The scripts are tried in the shells that they are for. */

const folder = mkdtempSync(join(tmpdir(), 'accrete-completion-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'ratings of mine.csv'), '');

const spots = spotsOf(createProgram());

interface Shell {
  readonly name: string;
  readonly script: (name: string, spots: readonly Spot[]) => string;
  /** What the shell offers for the last of these words. */
  readonly complete: (file: string, words: readonly string[]) => string[];
}

function linesOf(command: string, args: readonly string[]): string[] {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    script: bashScript,
    complete: (file, words) => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const code = `source ${file}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _accrete; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return linesOf('bash', ['--norc', '-c', code]);
    },
  },
  {
    name: 'zsh',
    script: zshScript,
    // The line editor is not there: what would show the words prints them.
    complete: (file, words) => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const code = `compdef() { : }; _describe() { print -l -- \${\${(P)2}%%:*} }; _files() { print -l -- * }; source ${file}
        words=(${list}); CURRENT=${words.length}; _accrete | grep -F -- '${words.at(-1)}'`;
      return linesOf('zsh', ['-f', '-c', `${code} || true`]);
    },
  },
  {
    name: 'fish',
    script: fishScript,
    complete: (file, words) => {
      const lines = linesOf('fish', ['--no-config', '-c', `source ${file}; complete -C '${words.join(' ')}'`]);
      return lines.map((line) => line.split('\t')[0]);
    },
  },
];

const FILE = 'ratings of mine.csv';
const cases: { words: string[]; offered: string[]; isAll?: boolean }[] = [
  { words: ['rec'], offered: ['recommend', 'recommend-batch'], isAll: true },
  { words: ['models', 'un'], offered: ['unload'], isAll: true },
  { words: ['import', '--on-error', ''], offered: ['stop', 'skip'], isAll: true },
  { words: ['--address', 'models', 'evaluate', '--pro'], offered: ['--protocol'], isAll: true },
  { words: ['models', '--json', 'load', '--pl'], offered: ['--plugin'], isAll: true },
  { words: ['items', '--fil'], offered: ['--filter'], isAll: true },
  { words: ['completion', 'z'], offered: ['zsh'], isAll: true },
  { words: ['import', 'ratings'], offered: [FILE] },
  { words: ['export', '--output', 'ratings'], offered: [FILE] },
  { words: ['recommend', '--model', 'ratings'], offered: [], isAll: true },
];

for (const { name, script, complete } of SHELLS) {
  const missing = spawnSync(name, ['--version']).error ? `there is no ${name} here` : false;
  test(`the script for ${name} completes commands, options, values and files`, { skip: missing }, () => {
    const file = join(folder, name);
    writeFileSync(file, script('accrete', spots));
    for (const { words, offered, isAll } of cases) {
      const found = complete(file, ['accrete', ...words]).map((line) => line.replaceAll('\\', ''));
      if (isAll) assert.deepEqual(found.toSorted(), offered.toSorted(), words.join(' '));
      else
        assert.ok(
          offered.every((word) => found.includes(word)),
          `${words.join(' ')}: ${found}`,
        );
    }
  });
}

test('every command and every option that is listed in help is known', () => {
  const paths = spots.map(({ path }) => path);
  assert.ok(['', 'import', 'models load', 'items list', 'scenarios put'].every((path) => paths.includes(path)));
  const load = spots.find(({ path }) => path === 'models load');
  for (const word of ['--plugin', '--config', '--json', '--help'])
    assert.ok(
      load?.words.some((each) => each.word === word),
      word,
    );
  assert.equal(load?.values.get('--plugin'), 'any');
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The recipes run, and show of their scripts what is there. The scripts check what they say themselves. */

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Each recipe, and what its script prints at the end of its work. */
const RECIPES = {
  movies: /For an offline trainer: 100841 lines/,
  shop: /purchase: \{ all: 361, recommended: 1 \}.*trending: \[ 'tea-/s,
  // Where it takes long, the embargo is over by then.
  news: /new and not shown: \[ ('embargo', )?'unread' \].*the embargo is over/s,
};

for (const [name, end] of Object.entries(RECIPES)) {
  test(`the recipe for ${name} shows its script and its configuration`, () => {
    const recipe = read(`${name}.md`);
    const script = read(`${name}.mjs`);
    const shown = [...recipe.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
    assert(shown.length > 2);
    for (const code of shown) assert(script.includes(`\n${code}`), `${name}.mjs has no\n${code}`);
    assert(recipe.includes(`\`\`\`yaml ${name}.yaml\n${read(`${name}.yaml`)}\`\`\``), `another ${name}.yaml`);
  });

  test(`the recipe for ${name} runs`, async () => {
    const { ACCRETE_ADDRESS: _none, ...env } = process.env;
    const cwd = fileURLToPath(new URL('../../', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [`docs/recipes/${name}.mjs`], { cwd, env });
    assert.match(stdout, end);
  });
}

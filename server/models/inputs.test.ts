import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLearningOrder, modelsBehind } from './inputs.ts';

/** "stack: mf, cf" is a model and its inputs. */
function parse(...lines: string[]) {
  return lines.map((line) => {
    const [name, ...inputs] = line.split(/: |, /);
    return { name, inputs: inputs.map((input) => ({ name: input })) };
  });
}

const names = (models: readonly { readonly name: string }[]) => models.map(({ name }) => name);

test('whoever has inputs learns before them, and the rest keeps its order', () => {
  const cases: [string[], string[]][] = [
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
    [
      ['mf', 'cf', 'stack: mf, cf'],
      ['stack', 'mf', 'cf'],
    ],
    [
      ['a', 'b: a', 'c: b, a', 'd: a, missing'],
      ['c', 'b', 'd', 'a'],
    ],
  ];
  for (const [models, order] of cases) assert.deepEqual(names(inLearningOrder(parse(...models))), order);
});

test('behind a model are its inputs and theirs, each once, and not the model', () => {
  const all = parse('a', 'b: a', 'c: b, a', 'other');
  const [a, b, c] = all;
  assert.deepEqual(names(modelsBehind([c], all)), ['b', 'a']);
  assert.deepEqual(names(modelsBehind([c, b], all)), ['a']);
  assert.deepEqual(names(modelsBehind([a], all)), []);
});

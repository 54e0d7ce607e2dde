import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { KEPT_MAX, makeExperiment } from '../experiments/making.ts';
import { WANTED } from '../experiments/testing/wanted.ts';
import type { Experiment } from '../store/experiment.ts';
import { Experiments } from './experiments.ts';

const first = makeExperiment(WANTED, new Map(), 0);
const all = Array.from({ length: KEPT_MAX }, (_, n): [string, Experiment] => [
  `e-${n}`,
  { ...first, name: `e-${n}`, number: n + 1, ended: { how: 'stopped', atMs: n, reason: '' } },
]);

/** What is asked of the learner where so many are kept. */
async function roomFor(name: string, refusal?: AccreteError): Promise<unknown[]> {
  const asked: unknown[] = [];
  const change = async ({ how, name: of, validateOnly }: { how?: string; name?: string; validateOnly?: boolean }) => {
    asked.push([how, of, validateOnly]);
    if (refusal) throw refusal;
    return { revision: '' };
  };
  const experiments = new Experiments(
    { queue: { change: change as never, insist: change as never }, satisfies: () => undefined, cohorts: {} as never },
    new Map(all),
  );
  const wanted = { ...WANTED, name };
  await experiments.makeRoom({ how: 'create', name, wanted }).catch((error) => asked.push(error.reason));
  return asked;
}

test('the oldest one goes only for one that can be made', async () => {
  const validated = ['create', 'new', true];
  assert.deepEqual(await roomFor('new'), [validated, ['drop', 'e-0', undefined]]);
  const refusal = new AccreteError('MODEL_NOT_FOUND', '');
  assert.deepEqual(await roomFor('new', refusal), [validated, 'MODEL_NOT_FOUND']);
  assert.deepEqual(await roomFor('e-7'), [], 'it is there');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, ChangeAnswer } from '../exchange/messages.ts';
import type { Scenario } from '../store/control.ts';
import type { LearnerQueue } from './learner-queue.ts';
import { Scenarios } from './scenarios.ts';

const scenario = (name: string, pageSize = 0): Scenario => ({
  ...{ name, description: '', model: '', filter: '', diversity: 0 },
  ...{ excludeItemIds: [], includeSeen: false, pageSize },
});

/** Scenarios before a learner that answers when it is told to. */
function begin(...names: string[]) {
  const asked: Change[] = [];
  const answers: { resolve(answer: ChangeAnswer): void; reject(error: Error): void }[] = [];
  const change = (asks: Change) => {
    const answer = Promise.withResolvers<ChangeAnswer>();
    asked.push(asks);
    answers.push(answer);
    return answer.promise;
  };
  const scenarios = new Scenarios(
    { change } as unknown as LearnerQueue,
    new Map(names.map((name) => [name, scenario(name)])),
  );
  return { scenarios, asked, answer: () => answers.shift()?.resolve({ revision: '1' }), answers };
}

test('a scenario is there once it is decided', async () => {
  const { scenarios, asked, answer } = begin();
  const put = scenarios.put(scenario('home'));
  assert.throws(() => scenarios.require('home'), { reason: 'SCENARIO_NOT_FOUND', metadata: { scenario: 'home' } });
  answer();
  await put;
  assert.deepEqual(scenarios.require('home'), scenario('home'));
  assert.deepEqual(asked, [{ type: 'scenario', name: 'home', scenario: scenario('home') }]);
});

test('what was refused is not in effect', async () => {
  const { scenarios, answers } = begin('home');
  const calls = [scenarios.put(scenario('home', 7)), scenarios.delete('home')];
  for (const { reject } of answers) reject(new Error('full'));
  for (const call of calls) await assert.rejects(call, { message: 'full' });
  assert.deepEqual(scenarios.require('home'), scenario('home'));
});

test('what is asked at once is in effect in the order of the answers', async () => {
  const { scenarios, answer } = begin('home');
  const calls = [scenarios.put(scenario('mail')), scenarios.put(scenario('mail', 3)), scenarios.delete('home')];
  for (const _ of calls) answer();
  await Promise.all(calls);
  assert.deepEqual([...scenarios.byName], [['mail', scenario('mail', 3)]]);
});

test('deleting what is not there asks nobody', async () => {
  const { scenarios, asked } = begin('home');
  await scenarios.delete('nowhere');
  assert.deepEqual([asked, [...scenarios.byName.keys()]], [[], ['home']]);
});

test('what others decided holds from then on', () => {
  const { scenarios } = begin('home');
  scenarios.settle(new Map([['mail', scenario('mail')]]));
  assert.throws(() => scenarios.require('home'), { message: /there are: mail/ });
  assert.deepEqual(scenarios.require('mail'), scenario('mail'));
});

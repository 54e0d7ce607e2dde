import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { reportWith } from '../../test/support/experiments.ts';
import { rating } from '../../test/support/ratings.ts';
import { TestServer } from '../../test/support/server.ts';
import { run } from './testing/accrete.ts';

/** Experiments by the command line, on a server. */

const server = await TestServer.start({ after });
await server.client.rate(Array.from({ length: 60 }, (_, n) => rating(`user-${n % 12}`, `item-${n % 5}`, 1 + (n % 5))));
const accrete = (...args: string[]) => run(['experiments', ...args], server.address);

async function nameOfDefault(): Promise<string> {
  const { models } = JSON.parse((await run(['models', '--json'], server.address)).stdout);
  return models.find(({ isDefault }: { isDefault?: boolean }) => isDefault).name;
}

test('create, list, update, report, stop', async () => {
  const arms = ['--arm', 'control=popularity', '--arm', 'candidate=mean:1'];
  const dry = await accrete('create', 'home', ...arms, '--dry-run');
  assert.match(dry.stdout, /control=popularity:1 candidate=mean:1[\s\S]*it can be made; nothing was/);
  assert.deepEqual(JSON.parse((await accrete('list', '--json')).stdout), {});
  const rails = ['--metric', 'conversion', '--rail', 'rmse=0.2', '--window', '90m'];
  const made = await accrete('create', 'home', ...arms, ...rails, '--json');
  assert.equal(made.code, 0, made.stderr);
  const { experiment } = JSON.parse(made.stdout);
  assert.deepEqual(experiment.guardRails, [{ metric: 'rmse', harmMax: 0.2 }]);
  assert.deepEqual(experiment.attributionWindow, { seconds: '5400' });
  assert.match((await accrete()).stdout, /home\trunning\tcontrol=popularity:1 candidate=mean:1\tconversion/);
  assert.match((await accrete('update', 'home', '--weight', 'candidate=3')).stdout, /^25\.00% of the units get/);
  for (let n = 0; n < 12; n++) await server.client.recommend(`user-${n}`);
  await reportWith(server.client, 'home', 12);
  const report = await accrete('report', 'home');
  assert.match(report.stdout, /verdict\tToo few units/);
  assert.match(report.stdout, /\ncandidate\tmean\t75\.0%\t/);
  assert.match(report.stdout, /note: with SHARED learning/);
  assert.match((await accrete('stop', 'home')).stdout, /^home has ended/);
});

test('an arm of the model that is the default one already takes no place', async () => {
  const defaultName = await nameOfDefault();
  const other = defaultName === 'mean' ? 'popularity' : 'mean';
  await accrete('create', 'same', '--arm', `old=${other}`, '--arm', `new=${defaultName}`);
  const { code, stdout } = await accrete('promote', 'same', 'new');
  assert.equal(code, 0);
  assert.match(stdout, /\nthe model of new is the default one\. same has ended\n$/);
});

test('what is written wrong is no call', async () => {
  for (const wrong of [
    ['create', 'x', '--arm', 'mf'],
    ['create', 'x', '--window', 'long'],
    ['update', 'home'],
    ['promote', 'home'],
  ])
    assert.equal((await accrete(...wrong)).code, 2, wrong.join(' '));
  assert.match((await accrete('report', 'nobody')).stderr, /EXPERIMENT_NOT_FOUND/);
});

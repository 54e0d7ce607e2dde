import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { manyRatings } from '../../test/support/ratings.ts';
import { TestServer } from '../../test/support/server.ts';
import { run } from './testing/accrete.ts';

/** The experiment of the README, on a server with the models that a fresh one has. */

const server = await TestServer.start({ after }, { models: undefined, memory: { budgetMiB: 512 } });
const ratings = manyRatings(1200);
for (let n = 0; n < ratings.length; n += 100) await server.client.rate(ratings.slice(n, n + 100));
const accrete = (...args: string[]) => run(['experiments', ...args], server.address);

test('either arm is judged, and promoted: the default model has others as inputs, and the other arm is one of them', async () => {
  const arms = ['--arm', 'old=mf', '--arm', 'new=stack', '--metric', 'conversion', '--rail', 'rmse=0.05'];
  assert.equal((await accrete('create', 'mf-or-stack', ...arms)).code, 0);
  const terms = ['--margin', '1', '--window', '1000'];
  const judged = await accrete('promote', 'mf-or-stack', 'old', ...terms, '--validate-only');
  assert.equal(judged.code, 0, judged.stderr);
  assert.match(judged.stdout, /^mf@1\tstack@1\tmse\tall\t.*\t1,000$/m);
  const old = await accrete('promote', 'mf-or-stack', 'old', ...terms);
  assert.match(old.stdout, /the model of old is the default one; until now it was stack\. mf-or-stack has ended/);
  assert.equal((await accrete('create', 'again', ...arms)).code, 0);
  const back = await accrete('promote', 'again', 'new', ...terms);
  assert.match(back.stdout, /the model of new is the default one; until now it was mf\. again has ended/, back.stderr);
  assert.equal((await server.client.getModel('stack')).model?.isDefault, true);
});

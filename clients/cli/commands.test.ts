import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import {
  CatalogServiceService,
  type DeleteItemsRequest,
  DeleteItemsResponse,
  GetItemResponse,
  type ListItemsRequest,
  ListItemsResponse,
} from '../../proto/gen/accrete/v1/catalog.ts';
import { type EvaluateRequest, EvaluateResponse } from '../../proto/gen/accrete/v1/evaluation.ts';
import {
  ListModelsResponse,
  LoadModelResponse,
  ModelServiceService,
  SetDefaultModelResponse,
  UnloadModelResponse,
} from '../../proto/gen/accrete/v1/model.ts';
import {
  type RecommendBatchRequest,
  RecommendBatchResponse,
  RecommenderServiceService,
  type RecommendRequest,
  RecommendResponse,
  type UserRecommendations,
} from '../../proto/gen/accrete/v1/recommender.ts';
import {
  DeleteScenarioResponse,
  ListScenariosResponse,
  type PutScenarioRequest,
  PutScenarioResponse,
} from '../../proto/gen/accrete/v1/scenario.ts';
import { GetUserResponse, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { type Ended, ended, makeFolder, run, start } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** Commands against a server that keeps what it was asked and answers with what it is told to. */

const { folder, remove } = await makeFolder();
let asked: { method: string; request: unknown }[] = [];
let address: string;

/** A method that keeps its request and answers with `answer` of it. */
const unary =
  <Request, Response>(method: string, answer: (request: Request) => Response) =>
  ({ request }: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
    asked.push({ method, request });
    done(null, answer(request));
  };

const stream =
  <Request, Response>(method: string, answers: (request: Request) => readonly Response[]) =>
  (call: ServerWritableStream<Request, Response>) => {
    asked.push({ method, request: call.request });
    for (const answer of answers(call.request)) call.write(answer);
    call.end();
  };

/** Pages of two of the five items i1 to i5; a token is the number of items before it. */
function pageOf(pageToken: string): { ids: string[]; nextPageToken: string } {
  const first = Number(pageToken || 0);
  const ids = [1, 2, 3, 4, 5].slice(first, first + 2).map((n) => `i${n}`);
  return { ids, nextPageToken: first + 2 < 5 ? String(first + 2) : '' };
}

const explanation = {
  contributions: [
    { source: { $case: 'itemId', value: 'i9' }, value: 0.5 },
    { source: { $case: 'term', value: 'mean' }, value: -0.25 },
  ],
  counterfactualItemIds: ['i9'],
} as const;

let looks = 0;
const model = { name: 'mf', plugin: 'mf', version: '1', isDefault: true, state: 3 } as const;

const server = new FakeServer()
  .add(RecommenderServiceService, {
    recommend: unary('recommend', ({ pageToken, explain }: RecommendRequest) => {
      const { ids, nextPageToken } = pageOf(pageToken);
      const items = ids.map((itemId) => ({
        itemId,
        score: 1,
        ...(explain && { explanation: structuredClone(explanation) as never }),
      }));
      return RecommendResponse.fromPartial({ items, model: 'mf', modelVersion: '1', revision: '7', nextPageToken });
    }),
    recommendBatch: stream('recommendBatch', ({ userIds }: RecommendBatchRequest) => {
      const found = (userIds.length > 0 ? userIds : ['a', 'b']).map((userId) => {
        const items = [
          { itemId: 'i1', score: 0.5, predictedValue: 4.5 },
          { itemId: 'i,2', score: 0.25 },
        ];
        const outcome =
          userId === 'bad'
            ? ({
                $case: 'error',
                value: { code: 5, message: 'no such luck', details: [] },
              } satisfies UserRecommendations['outcome'])
            : ({
                $case: 'answer',
                value: RecommendResponse.fromPartial({ items, model: 'mf', revision: '7' }),
              } satisfies UserRecommendations['outcome']);
        return RecommendBatchResponse.fromPartial({ event: { $case: 'recommendations', value: { userId, outcome } } });
      });
      const progress = { phase: 'recommend', completed: 2n, total: 2n, unit: 'users' };
      return [...found, RecommendBatchResponse.fromPartial({ event: { $case: 'progress', value: progress } })];
    }),
    evaluate: stream('evaluate', ({ protocol }: EvaluateRequest) => {
      const row = { model: 'mf', metric: 'ndcg@10', value: 0.125, lower: 0.1, upper: 0.15, count: 1234n };
      const difference = {
        ...row,
        model: 'popularity',
        baseline: 'mf',
        value: -0.01,
        lower: -0.02,
        upper: 0,
        segment: 'history:0-9',
      };
      const report = {
        protocol,
        rows: [row, { ...row, segment: 'history:0-9', lower: undefined }],
        differences: [difference],
        trainedCount: 9000n,
        heldOutCount: 1234n,
        failures: [{ model: 'broken', reason: 'it predicts NaN' }],
        missing: [{ model: 'popularity', metric: 'rmse', reason: 'it does not predict ratings' }],
      };
      const progress = { phase: 'replay', completed: 1n, total: 2n, unit: 'ratings' };
      return [
        EvaluateResponse.fromPartial({ event: { $case: 'progress', value: progress } }),
        EvaluateResponse.fromPartial({ event: { $case: 'report', value: report } }),
      ];
    }),
  })
  .add(CatalogServiceService, {
    listItems: unary('listItems', ({ pageToken }: ListItemsRequest) => {
      const { ids, nextPageToken } = pageOf(pageToken);
      const items = ids.map((itemId) => ({
        itemId,
        title: `Title ${itemId}`,
        categories: ['a', 'b'],
        attributes: { year: 1995 },
      }));
      return ListItemsResponse.fromPartial({ items, nextPageToken });
    }),
    getItem: unary('getItem', () => {
      const availableUntil = { seconds: 978_300_760n, nanos: 0 };
      return GetItemResponse.fromPartial({ item: { itemId: 'i1', availableUntil }, ratingCount: 12n, revision: '7' });
    }),
    deleteItems: unary('deleteItems', ({ itemIds, validateOnly }: DeleteItemsRequest) =>
      DeleteItemsResponse.fromPartial({ deletedCount: itemIds.length, revision: validateOnly ? '' : '8' }),
    ),
  })
  .add(UserServiceService, {
    getUser: unary('getUser', () =>
      GetUserResponse.fromPartial({ user: { userId: 'ada', labels: ['x'] }, ratingCount: 3n, revision: '7' }),
    ),
  })
  .add(ModelServiceService, {
    listModels: unary('listModels', () => {
      const rows = [
        { model: 'mf', metric: 'rmse', value: 0.9, count: 5n, window: 'window' },
        { model: 'mf', metric: 'rmse', value: 0.8, count: 5n, window: 'total' },
      ];
      const loading = {
        name: 'new',
        plugin: 'mf',
        state: 2,
        progress: { phase: 'replay', completed: 1n, total: 4n, unit: 'ratings' },
      } as const;
      const learned = { ...model, metrics: rows, learnedCount: BigInt(1000 * ++looks) };
      return ListModelsResponse.fromPartial({ models: [learned, loading] });
    }),
    loadModel: unary('loadModel', () => LoadModelResponse.fromPartial({ model: { ...model, name: 'new' } })),
    unloadModel: unary('unloadModel', () => UnloadModelResponse.fromPartial({ model: { ...model, state: 5 } })),
    setDefaultModel: unary('setDefaultModel', () =>
      SetDefaultModelResponse.fromPartial({ model, previousName: 'old' }),
    ),
    putScenario: unary('putScenario', ({ scenario }: PutScenarioRequest) =>
      PutScenarioResponse.fromPartial({ scenario }),
    ),
    listScenarios: unary('listScenarios', () =>
      ListScenariosResponse.fromPartial({ scenarios: [{ name: 'home', diversity: 0.3 }] }),
    ),
    deleteScenario: unary('deleteScenario', () => DeleteScenarioResponse.create()),
  });

before(async () => {
  address = await server.start();
});
beforeEach(() => {
  asked = [];
});
after(async () => {
  server.stop();
  await remove();
});

function accrete(...args: string[]): Promise<Ended> {
  return run(args, address);
}

/** The fields of the one request that was made, less those that are as they are by default. */
function request(): Record<string, unknown> {
  assert.equal(asked.length, 1);
  const isSet = (value: unknown) =>
    !['', 0, false, undefined].includes(value as never) &&
    Object.keys(Object(value)).length + Number(typeof value !== 'object') > 0;
  return Object.fromEntries(Object.entries(asked[0].request as object).filter(([, value]) => isSet(value)));
}

test('recommend: every option reaches the server', async () => {
  const options = '--count 2 --model m --candidates a,b --exclude c --filter f --diversity 0.5 --explain --scenario s';
  await accrete(
    'recommend',
    'ada',
    ...options.split(' '),
    '--context',
    'device=tv',
    '--context',
    'x',
    '--min-revision',
    '7',
    '--include-seen',
    '--page-token',
    '2',
  );
  assert.deepEqual(request(), {
    subject: { $case: 'userId', value: 'ada' },
    pageSize: 2,
    pageToken: '2',
    model: 'm',
    candidateItemIds: ['a', 'b'],
    excludeItemIds: ['c'],
    includeSeen: true,
    filter: 'f',
    diversity: 0.5,
    explain: true,
    scenario: 's',
    context: { device: 'tv', x: '' },
    minRevision: '7',
  });
});

test('recommend for a session and similar: the subject; without --count the scenario or the server says how many', async () => {
  await accrete('recommend', '--session', 'a,b', '--scenario', 's');
  assert.deepEqual(request(), { subject: { $case: 'session', value: { itemIds: ['a', 'b'] } }, scenario: 's' });
  asked = [];
  await accrete('similar', 'tea');
  assert.deepEqual(request(), { subject: { $case: 'itemId', value: 'tea' } });
});

test('pages are one list; what is left and why items are there is told', async () => {
  const { stdout, stderr } = await accrete('recommend', 'ada', '--pages', '2', '--explain');
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines[0], 'rank\titem\tscore\tbecause');
  assert.equal(lines[4], '4\ti4\t1.0000\ti9 +0.5000, mean -0.2500; not without i9');
  assert.equal(stderr, 'by mf 1, as of revision 7\nthere are more: --page-token 4\n');
  const all = JSON.parse((await accrete('similar', 'tea', '--pages', '9', '--json')).stdout);
  assert.deepEqual([all.items.length, all.nextPageToken], [5, undefined]);
});

test('recommend-batch: lists of all users, or of those of a file, as csv and JSON Lines', async () => {
  const csv = join(folder, 'lists.csv');
  const all = await accrete('recommend-batch', '--output', csv, '--count', '2', '--filter', 'f');
  assert.match(all.stderr, /^lists for 2 users to \S+lists\.csv in /);
  assert.deepEqual(request(), { pageSize: 2, filter: 'f' });
  const rows = ['user,rank,item,score,predicted,model,revision', 'a,1,i1,0.5,4.5,mf,7', 'a,2,"i,2",0.25,,mf,7'];
  assert.ok((await readFile(csv, 'utf8')).startsWith(`${rows.join('\n')}\nb,1,`));
  const [users, lines] = [join(folder, 'users.txt'), join(folder, 'lists.jsonl')];
  await writeFile(users, 'ada\n\nbad\n');
  const some = await accrete('recommend-batch', '--users', users, '--output', lines);
  assert.deepEqual([some.code, some.stdout], [3, '']);
  assert.match(some.stderr, /^lists for 1 users .*\n1 users have none:\n {2}user "bad": NOT_FOUND: no such luck\n$/);
  const found = (await readFile(lines, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([found[0].userId, found[0].answer.items.length, found[1].error.message], ['ada', 2, 'no such luck']);
  assert.equal((await accrete('recommend-batch', '--output', lines)).code, 2);
});

test('recommend-batch to standard output: nothing but lists is there, and who has none is told beside them', async () => {
  const row = '1,i1,0.5,4.5,mf,7';
  const csv = await accrete('recommend-batch', '--output', '-', '--format', 'csv');
  const rows = ['a', 'b'].flatMap((user) => [`${user},${row}`, `${user},2,"i,2",0.25,,mf,7`]);
  assert.equal(csv.stdout, `${['user,rank,item,score,predicted,model,revision', ...rows].join('\n')}\n`);
  assert.match(csv.stderr, /^lists for 2 users to standard output in \d+\.\d s\n$/);
  const users = join(folder, 'some.txt');
  await writeFile(users, 'ada\nbad\n');
  const json = await accrete('recommend-batch', '--output', '-', '--users', users, '--json');
  const lines = json.stdout.trimEnd().split('\n');
  assert.deepEqual([lines.map((line) => JSON.parse(line).userId), json.code], [['ada', 'bad'], 3]);
  const { failed, faults } = JSON.parse(json.stderr).summary;
  assert.deepEqual([failed, faults], [1, [{ field: 'user "bad"', description: 'NOT_FOUND: no such luck' }]]);
});

test('items: list, get and delete', async () => {
  const list = await accrete('items', '--filter', 'f', '--count', '2');
  assert.equal(list.stdout.split('\n')[1], 'i1\tTitle i1\ta, b\t\tyes\t{"year":1995}');
  assert.equal(list.stderr, 'there are more: --page-token 2\n');
  assert.deepEqual(request(), { filter: 'f', pageSize: 2 });
  assert.match((await accrete('items', 'get', 'i1')).stdout, /available\tuntil 2000-12-31T22:12:40Z\nratings\t12\n/);
  assert.equal((await accrete('items', 'delete', 'a', 'b')).stdout, '2 items are deleted, as of revision 8\n');
  assert.equal((await accrete('items', 'delete', 'a', '--dry-run')).stdout, '1 items would be deleted\n');
  assert.match((await accrete('users', 'get', 'ada')).stdout, /^fact\tvalue\nuser\tada\nlabels\tx\nratings\t3\n/);
});

test('scenarios: put, list and delete', async () => {
  await accrete('scenarios', 'put', 'home', '--model', 'mf', '--count', '5', '--exclude', 'a,b', '--description', 'd');
  const [{ request: put }] = asked;
  const scenario = { name: 'home', model: 'mf', pageSize: 5, excludeItemIds: ['a', 'b'], description: 'd' };
  const rest = { filter: '', diversity: 0, includeSeen: false };
  assert.deepEqual(put, { scenario: { ...scenario, ...rest }, validateOnly: false });
  assert.match((await accrete('scenarios')).stdout, /\nhome\t\t\t0\.3\t/);
  assert.match((await accrete('scenarios', 'delete', 'home')).stdout, /no scenario home any more/);
});

test('models load: settings as key=value, JSON and files', async () => {
  const path = join(folder, 'config.yaml');
  await writeFile(path, 'seed: 3\nnested: {a: 1}\n');
  const args = ['models', 'load', 'new', '--plugin', 'mf', '--config', `@${path}`, '--config', '{"factors": 8}'];
  const { stdout } = await accrete(...args, '--config', 'name=text', '--config', 'seed=4', '--shadow');
  assert.match(stdout, /^new is AVAILABLE/);
  const config = { seed: 4, nested: { a: 1 }, factors: 8, name: 'text' };
  assert.deepEqual(request(), { name: 'new', plugin: 'mf', config, learningScope: 3 });
  const deep = ['replay.count=0', '{"replay": {"eta": 0.1}}', 'replay.scope=uniform', 'k=8'];
  await accrete('models', 'load', 'new', '--plugin', 'mf', ...deep.flatMap((text) => ['--config', text]));
  const nested = { replay: { count: 0, eta: 0.1, scope: 'uniform' }, k: 8 };
  assert.deepEqual((asked[1].request as { config: object }).config, nested);
  for (const wrong of ['seed', '{"a":', '@missing.yaml', '=1', 'replay.=1', '.count=1'])
    assert.equal((await accrete('models', 'load', 'new', '--plugin', 'mf', '--config', wrong)).code, 2);
});

test('models: unload, default, and states with progress', async () => {
  assert.equal((await accrete('models', 'unload', 'old')).stdout, 'old is unloaded\n');
  assert.match((await accrete('models', 'default', 'mf')).stdout, /until now it was old/);
  assert.match((await accrete('models')).stdout, /\nnew\tmf\tLOADING\t.*\treplay \| 25% \| 1 ratings\n$/);
});

test('evaluate: a report with intervals and differences, after its progress', async () => {
  const options =
    '--protocol holdout --split leave-last-out --share 0.2 --models mf --metrics ndcg@10 --seed 5 --from 1 --to 9';
  const { stdout, stderr } = await accrete('evaluate', ...options.split(' '));
  assert.deepEqual(request(), {
    protocol: 2,
    models: ['mf'],
    metrics: ['ndcg@10'],
    window: { firstRevision: '1', lastRevision: '9' },
    seed: 5,
    holdout: { split: 2, share: 0.2 },
  });
  assert.equal(
    stdout,
    'model\tmetric\tsegment\tvalue\tcount\nmf\tndcg@10\tall\t0.1250 [0.1000, 0.1500]\t1,234\nmf\tndcg@10\thistory:0-9\t0.1250\t1,234\n\n' +
      'model\tagainst\tmetric\tsegment\tdifference\tcount\npopularity\tmf\tndcg@10\thistory:0-9\t-0.0100 [-0.0200, 0.0000]\t1,234\n',
  );
  assert.match(
    stderr,
    /9,000 ratings were learned and 1,234 held out\nbroken has no figures: it predicts NaN\npopularity has no rmse: it does not/,
  );
  const json = await accrete('evaluate', '--protocol', 'sampled', '--json');
  assert.deepEqual(
    json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line))),
    [['progress'], ['report']],
  );
});

/** Lines that a command prints until there are `count`, and the code that Ctrl-C ends it with. */
async function watched(count: number, ...args: string[]): Promise<{ lines: string[]; code: number | null }> {
  const child = start([...args, '--every', '0.05'], address);
  const end = ended(child);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    if (text.split('\n').length > count) child.kill('SIGINT');
  });
  const { code } = await end;
  return { lines: text.split('\n').slice(0, count), code };
}

test('--watch looks again and again until Ctrl-C', async () => {
  const live = await watched(3, 'evaluate', '--watch', '--json');
  const looks = live.lines.map((line) => JSON.parse(line).models[0]);
  assert.deepEqual([looks[0].ratingsPerSecond, looks[0].metrics, live.code], [0, { rmse: 0.9 }, 130]);
  assert.ok(looks[1].ratingsPerSecond > 0 && looks[2].learned === looks[1].learned + 1000);
  const table = await watched(4, 'models', '--watch');
  assert.match(table.lines[0], /^\d{4}-.*Z {2}models$/);
  assert.match(table.lines[3], /^new\tmf\tLOADING/);
});

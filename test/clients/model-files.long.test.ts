import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readFileSource } from '../../server/jobs/fuse/file-source.ts';
import { SourceMemory } from '../../server/jobs/fuse/source-memory.ts';
import { STRATEGIES } from '../../server/jobs/fuse/strategies/strategies.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { NOTHING_HELD } from '../../server/store/held.ts';
import { openModelFile } from '../../server/store/models/model-file.ts';
import { Lab } from '../laws/lab.ts';
import { exportModel, importModel } from '../support/model-files.ts';
import { PythonPackages } from '../support/python.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Model files in Python, by the code of docs/model-files.md. */

const python = new PythonPackages(['numpy==2.3.3', 'safetensors==0.6.2'], 'numpy, safetensors');
const skip = python.findMissing();
const folder = makeFolder({ after });
const text = readFileSync(join(ROOT, 'docs', 'model-files.md'), 'utf8');
const [reading = '', writing = ''] = [...text.matchAll(/^```python\n(.*?)\n```$/gms)].map(([, block]) => block);

/** Runs a program in the folder of the files; what it prints is JSON. */
function run(...program: string[]): unknown {
  return python.run(['-c', program.join('\n')], { cwd: folder });
}

function open(name: string) {
  const file = openModelFile(join(folder, name));
  after(() => file.close());
  return file;
}

const config = { base: 'biases', ranking: 'taste', k: 2 };
const server = await TestServer.start({ after }, { models: [{ name: 'mf', plugin: 'mf', config }] });
const USERS = ['ann', 'Ωμέγα', '雪 花', '𝒜'];
await server.client.rate(Array.from({ length: 60 }, (_, n) => rating(USERS[n % 4], `i${n % 7}`, 1 + (n % 5))));
writeFileSync(join(folder, 'mf.safetensors'), (await exportModel(server.client, 'mf')).bytes);

test('what a server exports is read with the same numbers', { skip }, () => {
  const read = run(
    reading,
    'print(json.dumps({"metadata": metadata, "users": [*users], "items": ids("items"), "tensors": ',
    '  {name: [str(t.dtype), *t.shape, t.ravel().tolist()] for name, t in tensors.items() if name.startswith("table.")}}))',
  ) as {
    metadata: Record<string, string>;
    users: string[];
    items: string[];
    tensors: Record<string, (string | number | number[])[]>;
  };
  const file = open('mf.safetensors');
  assert.deepEqual([read.users, read.items], [USERS, [...file.items.texts()]]);
  assert.deepEqual([read.metadata.plugin, JSON.parse(read.metadata.config)], ['mf', file.config]);
  const columns = [...file.tables].flatMap(([table, { rows, columns }]) =>
    Array.from(columns, ([name, { type, width, read }]) => {
      const dtype = { f32: 'float32', f64: 'float64', u32: 'uint32' }[type];
      const shape = width === 1 ? [rows] : [rows, width];
      return [`table.${table}.${name}`, [dtype, ...shape, Array.from(read(), Number)]] as const;
    }),
  );
  assert.deepEqual(read.tensors, Object.fromEntries(columns));
});

test('factors that were made in Python enter', { skip }, async () => {
  const names = { users: ['zoë', 'бен', ...USERS], items: Array.from({ length: 5 }, (_, n) => `item ${n}`) };
  const plugin = await loadPlugin('mf');
  const metadata = { plugin: 'mf', config: JSON.stringify(config), stateVersion: String(plugin.stateVersion) };
  const vectors = run(
    writing,
    `names = json.loads('${JSON.stringify(names)}')`,
    'vectors = {of: np.random.default_rng(7).normal(size=(len(names[of]), 2)) for of in names}',
    'ratings = {of: np.arange(1, 1 + len(names[of])) for of in names}',
    `write('made', names['users'], names['items'], vectors, ratings, json.loads(r'${JSON.stringify(metadata)}'))`,
    'print(json.dumps({of: vectors[of].astype(np.float32).ravel().tolist() for of in vectors}))',
  ) as { users: number[]; items: number[] };
  const bytes = readFileSync(join(folder, 'made'));
  const { file: name, tables } = await importModel(server.client, 'made', bytes);
  assert.deepEqual(tables.map(({ name: table, rows }) => `${table} ${rows}`).sort(), ['items 5', 'users 6']);
  const file = openModelFile(join(server.data, 'imports', name));
  after(() => file.close());
  assert.deepEqual([[...file.users.texts()], [...file.items.texts()]], [names.users, names.items]);
  for (const side of ['users', 'items'] as const) {
    const vector = file.tables.get(side)?.columns.get('vector');
    assert.deepEqual([vector?.width, Array.from(vector?.read() ?? [], Number)], [2, vectors[side]]);
  }
  const source = { type: 'file', field: 'sources[0].file', file: name } as const;
  const lab = new Lab(plugin, plugin.config.parse(config)).teachAll([{ user: 'zoë', item: 'item 3', value: 4 }]);
  const terms = {
    strategy: STRATEGIES.PROCRUSTES,
    own: [],
    held: NOTHING_HELD,
    start: 0,
    data: server.data,
    memory: new SourceMemory(64),
  };
  const { blocks, unknownRows } = readFileSource(source, lab.model, terms);
  assert.deepEqual([...(blocks.get('users.ratings')?.values ?? [])], [1]);
  assert.deepEqual([...(blocks.get('items.ratings')?.values ?? [])], [4]);
  assert.equal(unknownRows, 9);
});

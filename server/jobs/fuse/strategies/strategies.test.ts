import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstBy, meanBy, Random } from '../../../../plugins/contract/index.ts';
import { Lab } from '../../../../test/laws/lab.ts';
import { AccreteError } from '../../../errors.ts';
import { type Block, readBlocks } from '../../../models/fusion.ts';
import { loadPlugin } from '../../../models/plugins.ts';
import { DeviceMeter } from '../../../tensor/device-meter.ts';
import { LocalDevice } from '../../../tensor/local-device.ts';
import { average } from './average.ts';
import { fuseColumns } from './columns.ts';
import { truncate } from './concatenate.ts';
import { addUp } from './counts.ts';
import { requireFinite } from './finite.ts';
import { fuseGaussians } from './gaussians.ts';
import type { Member, Members } from './members.ts';
import { align, orthogonalFactor, squareSvd, turn } from './procrustes.ts';
import { type FuseOptions, STRATEGIES } from './strategies.ts';

const device = new LocalDevice(2 ** 28, new DeviceMeter());
const OPTIONS: FuseOptions = { seed: 0, rank: 0, force: false };

const random = new Random();
random.key(20, 0);
/** Nearly normal: a sum of uniform draws. */
const draw = () => Array.from({ length: 12 }, () => random.below(1e6) / 1e6).reduce((sum, each) => sum + each, -6);
const draws = (count: number, sd = 1) => Float32Array.from({ length: count }, () => sd * draw());
const typeOf = (values: Block['values']) =>
  values instanceof Float32Array ? 'f32' : values instanceof Float64Array ? 'f64' : 'u32';
const block = (values: Block['values'], width: number): Block => ({
  type: typeOf(values),
  rows: values.length / width,
  width,
  values,
});

/** a (rows x inner) times b (inner x columns), in doubles. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, inner: number): Float64Array {
  const [rows, columns] = [a.length / inner, b.length / inner];
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let n = 0; n < inner; n++) sum += a[row * inner + n] * b[n * columns + column];
    return sum;
  });
}

function transposed(a: ArrayLike<number>, columns: number): Float64Array {
  const rows = a.length / columns;
  return Float64Array.from({ length: a.length }, (_, at) => a[(at % rows) * columns + Math.floor(at / rows)]);
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.sqrt(Array.from(a, (value, at) => (value - b[at]) ** 2).reduce((sum, each) => sum + each, 0));
const length = (a: ArrayLike<number>) => distance(a, new Float64Array(a.length));

/** Rotations of k axes. */
const rotationOf = (k: number) => orthogonalFactor(Float64Array.from(draws(k * k)), k).rotation;

const USERS = 60;
const ITEMS = 45;
const MEANINGS = {
  'users.vector': { as: 'factors', space: 'taste', side: 'left', weight: 'users.ratings' },
  'users.bias': meanBy('users.ratings'),
  'users.late': firstBy('users.ratings'),
  'users.ratings': { as: 'count' },
  'items.vector': { as: 'factors', space: 'taste', side: 'right', weight: 'items.ratings' },
  'items.ratings': { as: 'count' },
} as const;

function member(name: string, k: number, isForeign = false): Member {
  const counts = (rows: number) => Uint32Array.from({ length: rows }, () => 1 + random.below(20));
  return {
    name,
    field: `sources[0].${name}`,
    isForeign,
    blocks: new Map([
      ['users.vector', block(draws(USERS * k), k)],
      ['users.bias', block(draws(USERS), 1)],
      ['users.late', block(Float64Array.from(draws(USERS)), 1)],
      ['users.ratings', block(counts(USERS), 1)],
      ['items.vector', block(draws(ITEMS * k), k)],
      ['items.ratings', block(counts(ITEMS), 1)],
    ]),
  };
}

const withBlock = (from: Member, name: string, values: Block['values']): Member => ({
  ...from,
  blocks: new Map([...from.blocks, [name, { ...(from.blocks.get(name) as Block), values }]]),
});
const valuesOf = (blocks: Member['blocks'], name: string) => (blocks.get(name) as Block).values;
const membersOf = (...all: [Member, ...Member[]]): Members => ({ meanings: MEANINGS, all });

/** The same model in another base. */
async function turned(from: Member, k: number): Promise<Member> {
  const rotation = rotationOf(k);
  let other = { ...from, name: 'turned' };
  for (const name of ['users.vector', 'items.vector'])
    other = withBlock(other, name, await turn(device, valuesOf(from.blocks, name) as Float32Array, k, rotation));
  return other;
}

test('the average of a model with itself is itself, to the bit', async () => {
  const model = member('a', 7);
  for (const strategy of ['AVERAGE', 'PROCRUSTES'] as const) {
    const { blocks, diagnostics } = await STRATEGIES[strategy].fuse(membersOf(model, model), OPTIONS, device);
    for (const [name, { values }] of blocks) {
      if (strategy === 'AVERAGE' || !name.endsWith('vector'))
        assert.deepEqual(values, valuesOf(model.blocks, name), name);
      else assert(distance(values, valuesOf(model.blocks, name)) < 1e-5 * length(values), name);
    }
    assert(diagnostics.agreement > 1 - 1e-5);
  }
});

test('rows are averaged by their counts; one that only one model knows is as that has it; nobody’s stays', () => {
  const parts = [
    { block: block(Float32Array.of(1, 2, 9, 9, 5, 6), 2), weights: Uint32Array.of(3, 0, 0) },
    { block: block(Float32Array.of(5, 6, 7, 8, 1, 1), 2), weights: Uint32Array.of(1, 4, 0) },
  ];
  assert.deepEqual(average(parts).values, Float32Array.of(2, 3, 7, 8, 5, 6));
});

test('a rotated copy is turned back', async () => {
  for (const k of [1, 3, 16, 33]) {
    const model = member('a', k);
    const other = await turned(model, k);
    const { blocks, diagnostics } = await STRATEGIES.PROCRUSTES.fuse(membersOf(model, other), OPTIONS, device);
    for (const name of ['users.vector', 'items.vector']) {
      const before = valuesOf(model.blocks, name);
      assert(distance(valuesOf(blocks, name), before) < 1e-5 * length(before), `${name}, k ${k}`);
    }
    assert(diagnostics.alignment_residual < 1e-5, `residual ${diagnostics.alignment_residual}, k ${k}`);
  }
});

test('the turn is the nearest one of all, also where rows say nothing of some axes', async () => {
  const [rows, k] = [40, 6];
  const target = draws(rows * k);
  const source = draws(rows * k);
  // The last two axes are empty.
  for (let row = 0; row < rows; row++) source.fill(0, row * k + 4, (row + 1) * k);
  const { rotation } = await align(device, { target, source, rows, k });
  const square = product(transposed(rotation, k), rotation, k);
  const identity = Float64Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? 1 : 0));
  assert(distance(square, identity) < 1e-12);
  const off = distance(target, product(source, rotation, k));
  for (let n = 0; n < 200; n++) assert(distance(target, product(source, rotationOf(k), k)) > off);
});

test('averaging models of other bases is refused with the residuals, unless forced', async () => {
  const model = member('a', 8);
  const other = await turned(model, 8);
  await assert.rejects(STRATEGIES.AVERAGE.fuse(membersOf(model, other), OPTIONS, device), (error) => {
    assert(error instanceof AccreteError);
    assert.equal(error.reason, 'INVALID_FIELD');
    assert.match(error.message, /another base.*residual \d\.\d{3} as it is, 0\.000 aligned.*PROCRUSTES/);
    return true;
  });
  const forced = await STRATEGIES.AVERAGE.fuse(membersOf(model, other), { ...OPTIONS, force: true }, device);
  assert(forced.diagnostics.agreement < 0.5);
  assert(forced.diagnostics.unaligned_residual > 0.5);
});

test('factors that are too large to be compared are refused, forced or not', async () => {
  const model = member('a', 4);
  const other = withBlock(member('b', 4), 'users.vector', new Float32Array(4 * USERS).fill(3e38));
  for (const strategy of ['AVERAGE', 'PROCRUSTES'] as const) {
    const fused = STRATEGIES[strategy].fuse(membersOf(model, other), { ...OPTIONS, force: true }, device);
    await assert.rejects(fused, { reason: 'INVALID_FIELD', message: /\(b\) has factors of taste that are too large/ });
  }
});

test('what would not be finite is refused, unless the model has it so', () => {
  const covariances = (values: number[]) => block(Float64Array.from(values), 3);
  const means = block(Float64Array.of(1, 2), 2);
  const [good, singular] = [
    { means, covariances: covariances([1, 0, 1]) },
    { means, covariances: covariances([1, 1, 1]) },
  ];
  const blocks = new Map([['users.late', fuseGaussians([good, singular]).means]]);
  const own = (value: number) => withBlock(member('a', 2), 'users.late', Float64Array.of(value, value));
  assert.throws(() => requireFinite(membersOf(own(1), member('b', 2)), blocks), {
    reason: 'INVALID_FIELD',
    message: /^sources \(b\) would bring row 0 of users\.late to NaN/,
  });
  requireFinite(membersOf(own(Number.NaN), member('b', 2)), blocks);
});

test('with fewer common rows than factors nothing can be aligned', async () => {
  const model = member('a', 8);
  const few = (from: Member, name: string, rows: number) =>
    withBlock(
      from,
      name,
      Uint32Array.from({ length: rows }, (_, row) => (row < 3 ? 1 : 0)),
    );
  const other = few(few(member('b', 8), 'users.ratings', USERS), 'items.ratings', ITEMS);
  for (const strategy of ['AVERAGE', 'PROCRUSTES'] as const)
    await assert.rejects(STRATEGIES[strategy].fuse(membersOf(model, other), OPTIONS, device), /shares 6 rows of taste/);
});

test('factors side by side say the mean of what the models say, as nearly as their number lets', async () => {
  const [one, other] = [member('a', 5), member('b', 3)];
  const wide = (side: 'users' | 'items', scale: number) => {
    const [a, b] = [one, other].map(({ blocks }) => valuesOf(blocks, `${side}.vector`));
    return Float32Array.from({ length: 8 * (a.length / 5) }, (_, at) => {
      const [row, n] = [Math.floor(at / 8), at % 8];
      return scale * (n < 5 ? a[row * 5 + n] : b[row * 3 + n - 5]);
    });
  };
  const whole = product(wide('users', 0.5), transposed(wide('items', 1), 8), 8);
  const { blocks, diagnostics } = await STRATEGIES.CONCAT.fuse(membersOf(one, other), OPTIONS, device);
  const narrow = product(valuesOf(blocks, 'users.vector'), transposed(valuesOf(blocks, 'items.vector'), 5), 5);
  // Eckart and Young: what is lost is the singular values that are left out, and nothing loses less.
  const { s } = svdOf(whole, USERS, ITEMS);
  const lost = Math.sqrt(s.subarray(5).reduce((sum, each) => sum + each * each, 0));
  assert(Math.abs(distance(narrow, whole) - lost) < 1e-4 * lost, `${distance(narrow, whole)} of ${lost}`);
  const kept = s.subarray(0, 5).reduce((sum, each) => sum + each * each, 0);
  assert(Math.abs(diagnostics.kept_energy - kept / (kept + lost * lost)) < 1e-5);
  assert.equal(diagnostics.concatenated_rank, 8);
});

test('nothing is lost where the rank suffices, and a smaller one is kept on request', async () => {
  const left = draws(50 * 6);
  const right = draws(30 * 6);
  const all = await truncate(device, { left, right, width: 6 }, 6);
  const before = product(left, transposed(right, 6), 6);
  assert(distance(product(all.left, transposed(all.right, 6), 6), before) < 1e-5 * length(before));
  const model = member('a', 6);
  const { blocks } = await STRATEGIES.CONCAT.fuse(membersOf(model, model), { ...OPTIONS, rank: 2 }, device);
  const vectors = valuesOf(blocks, 'users.vector');
  for (let row = 0; row < USERS; row++) {
    assert.notEqual(vectors[row * 6 + 1], 0);
    assert.deepEqual(vectors.slice(row * 6 + 2, row * 6 + 6), new Float32Array(4));
  }
});

test('what is too wide is refused', async () => {
  const wide = [257, 256].map((k) => member('wide', k)) as [Member, Member];
  await assert.rejects(STRATEGIES.CONCAT.fuse(membersOf(...wide), OPTIONS, device), /513 side by side, and 512 are/);
  const wider = membersOf(member('a', 513), member('b', 513));
  await assert.rejects(STRATEGIES.PROCRUSTES.fuse(wider, OPTIONS, device), /has 513 factors, and 512 are the most/);
});

test('a user whom one model knows is said of what that says', async () => {
  const one = member('a', 4);
  const other = withBlock(
    member('b', 4),
    'users.ratings',
    Uint32Array.from({ length: USERS }, (_, row) => (row < 10 ? 0 : 1)),
  );
  const { blocks } = await STRATEGIES.CONCAT.fuse(
    membersOf({ ...one, blocks: one.blocks }, { ...other, blocks: withZeros(other) }),
    OPTIONS,
    device,
  );
  const narrow = product(valuesOf(blocks, 'users.vector'), transposed(valuesOf(blocks, 'items.vector'), 4), 4);
  const alone = product(
    valuesOf(one.blocks, 'users.vector').subarray(0, 10 * 4),
    transposed(valuesOf(one.blocks, 'items.vector'), 4),
    4,
  );
  assert(distance(narrow.subarray(0, alone.length), alone) < 1e-4 * length(alone));
});

/** The other model says nothing: then rank 4 is enough. */
function withZeros(from: Member): Member['blocks'] {
  return withBlock(from, 'items.vector', new Float32Array(ITEMS * 4)).blocks;
}

test('counts of shards add up to those of all', async () => {
  const popularity = await loadPlugin('popularity');
  const config = popularity.config.parse({});
  const shards = [new Lab(popularity, config), new Lab(popularity, config)];
  const whole = new Lab(popularity, config);
  const names = Array.from({ length: 9 }, (_, n) => `item ${n}`);
  // So that all have the same rows.
  for (const lab of [...shards, whole]) for (const item of names) lab.teach({ user: 'x', item, weight: 0, value: 3 });
  for (let n = 0; n < 400; n++) {
    const rating = {
      user: `u${n}`,
      item: names[random.below(names.length)],
      value: 3,
      weight: random.below(5),
      time: 1e9 + 86_400 * random.below(3000),
    };
    shards[n % 2].teach(rating);
    whole.teach(rating);
  }
  const fusion = popularity.fusion?.(config);
  assert(typeof fusion === 'object');
  const [one, two, all] = [...shards, whole].map(({ model }, n) => ({
    name: `${n}`,
    field: '',
    isForeign: n > 0,
    blocks: readBlocks(model, fusion.columns),
  }));
  const blocks = fuseColumns({ meanings: fusion.columns, all: [one, two] });
  const logarithms = ({ blocks: of }: { blocks: Member['blocks'] }) =>
    Array.from(valuesOf(of, 'items.mantissa'), (m, at) => Math.log2(m) + valuesOf(of, 'items.exponent')[at]);
  const [sums, expected] = [logarithms({ blocks }), logarithms(all)];
  for (const [n, sum] of sums.entries()) assert(Math.abs(sum - expected[n]) < 1e-12, `${sum}, ${expected[n]}`);
  // What models of one server have counted is counted once.
  const same = fuseColumns({ meanings: fusion.columns, all: [one, { ...one }] });
  for (const column of ['items.mantissa', 'items.exponent'])
    assert.deepEqual(valuesOf(same, column), valuesOf(one.blocks, column));
});

test('whole counts add up exactly, and nothing to nothing', () => {
  const part = (...values: number[]) => ({ block: block(Float64Array.from(values), 1) });
  assert.deepEqual(addUp([part(1, 0, 2 ** 40), part(2, 0, 1)]).block.values, Float64Array.of(3, 0, 2 ** 40 + 1));
  const scaled = (value: number, exponent: number) => ({ ...part(value), exponents: part(exponent).block });
  const { block: sum, exponents } = addUp([scaled(1.5, 2000), scaled(1.5, 2001), scaled(0, 0)]);
  assert.deepEqual([sum.values[0], exponents?.values[0]], [1.125, 2002]);
});

test('evidence that models have in common is counted once, and that of others is added', () => {
  const [own, beside, elsewhere] = [member('a', 2), member('b', 2), member('c', 2, true)];
  const [a, b, c] = [own, beside, elsewhere].map(({ blocks }) => valuesOf(blocks, 'users.ratings'));
  const ratings = valuesOf(fuseColumns(membersOf(own, beside, elsewhere)), 'users.ratings');
  assert.deepEqual(
    ratings,
    a.map((count, row) => Math.max(count, b[row]) + c[row]),
  );
  const full = withBlock(elsewhere, 'users.ratings', new Uint32Array(USERS).fill(2 ** 32 - 1));
  assert(valuesOf(fuseColumns(membersOf(own, full)), 'users.ratings').every((count) => count === 2 ** 32 - 1));
});

test('normal distributions are fused by the means of their precisions', () => {
  const part = (mean: number[], covariance: number[], width: number) => ({
    means: block(Float64Array.from(mean), mean.length),
    covariances: block(Float64Array.from(covariance), width),
  });
  // By hand: precisions 1/2 and 1/4, so P = 8/3 and x = 8/3 (1/2 1 + 1/4 4)/2.
  const { means, covariances } = fuseGaussians([part([1], [2], 1), part([4], [4], 1)]);
  assert(Math.abs(means.values[0] - 2) < 1e-12 && Math.abs(covariances.values[0] - 8 / 3) < 1e-12);
  const triangle = part([1, -2], [2, 0.5, 1], 3);
  const full = part([1, -2], [2, 0.5, 0.5, 1], 4);
  for (const [one, expected] of [
    [triangle, [2, 0.5, 1]],
    [full, [2, 0.5, 0.5, 1]],
  ] as const) {
    const same = fuseGaussians([one, one]);
    assert.deepEqual(same.means.values, one.means.values);
    assert(distance(same.covariances.values, expected) < 1e-12);
  }
  const unknown = part([7, 7], [0, 0, 0], 3);
  assert.deepEqual(fuseGaussians([unknown, triangle]), triangle);
});

test('a small matrix is taken apart exactly, whatever its rank', () => {
  const thin = product(draws(6 * 2), draws(2 * 6), 2);
  for (const matrix of [Float64Array.from(draws(36)), thin, new Float64Array(36)]) {
    const { u, s, v } = squareSvd(matrix.slice(), 6);
    const scaled = u.map((value, at) => value * s[at % 6]);
    assert(distance(product(scaled, transposed(v, 6), 6), matrix) < 1e-7 * (length(matrix) + 1e-300) + 1e-12);
    const identity = Float64Array.from({ length: 36 }, (_, at) => (at % 7 === 0 ? 1 : 0));
    assert(distance(product(transposed(u, 6), u, 6), identity) < 1e-12);
  }
});

/** Of a matrix in doubles, by the square one around it. */
function svdOf(matrix: Float64Array, rows: number, columns: number) {
  const k = Math.max(rows, columns);
  const square = new Float64Array(k * k);
  for (let row = 0; row < rows; row++) square.set(matrix.subarray(row * columns, (row + 1) * columns), row * k);
  return squareSvd(square, k);
}

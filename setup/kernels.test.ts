import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { compileKernel } from './kernels.mjs';

mkdirSync('build', { recursive: true });
const folder = mkdtempSync('build/kernels-test-');
after(() => rmSync(folder, { recursive: true }));

function compile(text: string, name = 'kernels.as.ts'): Promise<Uint8Array<ArrayBuffer>> {
  writeFileSync(`${folder}/${name}`, text);
  return compileKernel(`${folder}/${name}`);
}

test('a kernel works on the memory that it is given', async () => {
  const module = new WebAssembly.Module(
    await compile('export function sum(a: usize): f64 { return load<f64>(a) + load<f64>(a, 8); }'),
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  new Float64Array(memory.buffer, 64, 2).set([1.5, 2]);
  assert.equal((exports as { sum(address: number): number }).sum(64), 3.5);
});

test('log, exp and pow are compiled without their tables', async () => {
  const text = 'export function f(x: f64): f64 { return Math.log(x) + Math.exp(x) + Math.pow(x, 1.5); }';
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(await compile(text)), { env: { memory } });
  const actual = (instance.exports as { f(x: number): number }).f(2);
  assert.ok(Math.abs(actual - (Math.log(2) + Math.exp(2) + 2 ** 1.5)) < 1e-12, `f(2) is ${actual}`);
  assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
});

const refused = [
  { what: 'static data', text: 'const T: StaticArray<f64> = [1, 2]; export function f(i: i32): f64 { return T[i]; }' },
  { what: 'static data', text: 'export function f(x: f64): f64 { return Math.sin(x); }' },
  {
    what: 'a table of functions',
    text: 'export function f(g: i32): i32 { return (g ? (): i32 => 2 : (): i32 => 3)(); }',
  },
  { what: 'allocates', text: 'export function f(): usize { return changetype<usize>(new P()); } class P { a: i32; }' },
  { what: 'imports more than the memory', text: 'export function f(): f64 { return Math.random(); }' },
  { what: 'does not compile', text: 'export function f(): f64 { return missing; }' },
];

for (const { what, text } of refused) {
  test(`a kernel is refused: ${what} (${text})`, async () => {
    await assert.rejects(compile(text), new RegExp(`kernels\\.as\\.ts .*${what}`, 's'));
  });
}

test('relaxed SIMD, which differs between machines, does not compile', async () => {
  const text = `export function f(a: usize): void {
    v128.store(a, f32x4.relaxed_madd(v128.load(a), v128.load(a), v128.load(a)));
  }`;
  await assert.rejects(compile(text), /relaxed-simd/);
});

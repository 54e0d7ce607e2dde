import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Line, LineSplitter } from './lines.ts';

function split(chunks: readonly Uint8Array[], bytesMax?: number): Line[] {
  const splitter = new LineSplitter(bytesMax);
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
}

const texts = [
  { what: 'nothing', text: '', lines: [] },
  { what: 'an end of line each', text: 'a\nb\n', lines: ['a', 'b'] },
  { what: 'no end after the last', text: 'a\nb', lines: ['a', 'b'] },
  { what: 'ends as Windows writes them', text: 'a\r\nb\r\n', lines: ['a', 'b'] },
  { what: 'empty lines', text: '\n\na\n\n', lines: ['', '', 'a', ''] },
  { what: 'a byte order mark', text: '\ufeffa\n\ufeffb\n', lines: ['a', '\ufeffb'] },
  { what: 'a replacement character of its own', text: 'a\ufffdb\n', lines: ['a\ufffdb'] },
];

for (const { what, text, lines } of texts) {
  test(`lines of a text with ${what}`, () => {
    assert.deepEqual(
      split([Buffer.from(text)]),
      lines.map((line, n) => ({ number: n + 1, text: line })),
    );
  });
}

test('lines are the same wherever the chunks end', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '😀', ',') });
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 60 })), (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const ends = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const chunks = ends.slice(1).map((end, n) => bytes.subarray(ends[n], end));
      assert.deepEqual(split(chunks), split([bytes]));
      assert.deepEqual(
        split([bytes]).map((line) => line.text),
        whole
          .split('\n')
          .slice(0, whole.endsWith('\n') || whole === '' ? -1 : undefined)
          .map((line) => line.replace(/\r$/, '')),
      );
    }),
  );
});

test('a line that is too long is told and passed over, in one chunk and in several', () => {
  const expected = [
    { number: 1, text: 'ab' },
    { number: 2, text: '', problem: 'is longer than 4 bytes' },
    { number: 3, text: 'cdef' },
    { number: 4, text: '', problem: 'is longer than 4 bytes' },
  ];
  const bytes = Buffer.from('ab\n12345\ncdef\n1234567890');
  assert.deepEqual(split([bytes], 4), expected);
  assert.deepEqual(
    split(
      [...bytes].map((byte) => Buffer.of(byte)),
      4,
    ),
    expected,
  );
});

test('a line that is no UTF-8 is told', () => {
  const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.of(0xe9), Buffer.from('\nb\n')]);
  assert.deepEqual(split([bytes]), [
    { number: 1, text: 'a' },
    { number: 2, text: '', problem: 'is not UTF-8' },
    { number: 3, text: 'b' },
  ]);
});

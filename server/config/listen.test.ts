import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListen } from './listen.ts';

const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port });
const longestSocket = `/${'s'.repeat(102)}`;

const good: [string, unknown][] = [
  ['127.0.0.1:50051', tcp('127.0.0.1', 50051)],
  ['0.0.0.0:0', tcp('0.0.0.0', 0)],
  ['localhost:65535', tcp('localhost', 65535)],
  ['my-host.example:1', tcp('my-host.example', 1)],
  ['[::1]:9464', tcp('::1', 9464)],
  ['[::ffff:10.0.0.1]:1', tcp('::ffff:10.0.0.1', 1)],
  ['unix:/run/accrete.sock', { kind: 'unix', path: '/run/accrete.sock' }],
  [`unix:${longestSocket}`, { kind: 'unix', path: longestSocket }],
];

const bad = [
  '',
  '50051',
  ':50051',
  'localhost',
  'localhost:',
  'localhost:65536',
  'localhost:-1',
  'localhost:1e3',
  'local host:1',
  '-a:1',
  'a..b:1',
  '256.0.0.1:1',
  '::1:50051',
  '[::1]',
  '[localhost]:1',
  '[::1:1',
  'http://localhost:1',
  'unix:',
  'unix:/',
  'unix:run/accrete.sock',
  'unix:/a\0b',
  `unix:${longestSocket}s`,
];

for (const [text, address] of good) {
  test(`${text} is an address`, () => assert.deepEqual(parseListen(text), address));
}

for (const text of bad) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseListen(text), undefined));
}

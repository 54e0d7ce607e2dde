import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from './install.mjs';

const machine = { platform: 'linux', arch: 'x64' };
const ours = { version: '1.0.0', integrity: 'sha512-a', optional: true, os: 'linux', cpu: ['x64'] };
const theirs = { ...ours, os: ['darwin'] };
const locked = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/a-linux': ours,
  'node_modules/a-darwin': theirs,
};
const installed = { 'node_modules/a': locked['node_modules/a'], 'node_modules/a-linux': ours };

test('what is locked is installed when all but the packages of other platforms is there', () => {
  assert.equal(isInstalled(locked, installed, machine), true);
});

const differences = [
  { what: 'a package is missing', found: { 'node_modules/a-linux': ours } },
  { what: 'a version differs', found: { ...installed, 'node_modules/a': { version: '2.0.1', integrity: 'sha512-b' } } },
  { what: 'contents differ', found: { ...installed, 'node_modules/a': { version: '2.0.0', integrity: 'sha512-c' } } },
  { what: 'a package is there that is not locked', found: { ...installed, 'node_modules/b': ours } },
  { what: 'a package is for another platform', found: { ...installed, 'node_modules/a-darwin': theirs } },
];

for (const { what, found } of differences) {
  test(`it is not when ${what}`, () => assert.equal(isInstalled(locked, found, machine), false));
}

test('a platform can be refused by name', () => {
  const refusing = { ...installed, 'node_modules/a-linux': { ...ours, os: ['!linux'] } };
  assert.equal(isInstalled(locked, refusing, machine), false);
  const allowing = { ...installed, 'node_modules/a-linux': { ...ours, os: ['!win32'] } };
  assert.equal(isInstalled(locked, allowing, machine), true);
});

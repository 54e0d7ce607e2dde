import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findPackage } from '../../server/tensor/packages.ts';

/** In a process whose system has no driver for a graphics card, whatever the machine has. */
async function openIn(setting: string): Promise<{ reason?: string; message?: string; isThread?: boolean }> {
  const env = { ...process.env, VK_ICD_FILENAMES: '/none.json', LD_LIBRARY_PATH: '' };
  const script = fileURLToPath(new URL('open-device.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, setting], { env });
  return JSON.parse(stdout);
}

test('a device that is named and not there is refused, with why and the way to get it', async () => {
  const { reason, message } = await openIn('webgpu');
  assert.equal(reason, 'DEVICE_MISSING');
  const why = findPackage('webgpu')
    ? /^The device webgpu cannot be used: this machine has no graphics card .*\. Set device to auto or cpu$/
    : /^The device webgpu cannot be used: it is not installed\. To get it, run `npm run setup:webgpu` .*; or set device to/;
  assert.match(message ?? '', why);
});

test('cpu starts no thread', async () => {
  assert.deepEqual(await openIn('cpu'), { isThread: false });
});

test('packages that are not there are not found', () => {
  assert.equal(findPackage('@tensorflow/no-such-thing'), undefined);
  assert.ok(findPackage('zod'));
});

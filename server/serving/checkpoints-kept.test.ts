import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checkpoints, type CheckpointsParts } from './checkpoints.ts';

/** Checkpoints that are saved when `finish` is called; `kept`: what each was told to keep. */
function make() {
  const kept: string[] = [];
  let finish = () => {};
  const revisions = { learned: 1 };
  const parts = {
    config: { everyEvents: 0, everyMiB: 0, everySeconds: 0 },
    revisions,
    counters: { get: () => 0 },
    models: () => [],
    capture: async () => ({}),
    save: async (_capture: unknown, keeps: string) => {
      kept.push(keeps);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { revision: revisions.learned++, durationMs: 1, files: 1, neededBytes: 1, fileBytes: 1 };
    },
    end: () => {},
    onSaved: () => {},
    onFailure: () => {},
  };
  return { checkpoints: new Checkpoints(parts as unknown as CheckpointsParts), kept, finish: () => finish() };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('who holds waits for the one that is being written, and those after it keep everything', async () => {
  const { checkpoints, kept, finish } = make();
  const first = checkpoints.create();
  await settle();
  let release: (() => void) | undefined;
  const holding = checkpoints.keepAll().then((done) => {
    release = done;
  });
  await settle();
  assert.equal(release, undefined, 'the one that runs was told to tidy');
  finish();
  await Promise.all([first, holding]);
  const other = await checkpoints.keepAll();
  for (const end of [release, other]) {
    const next = checkpoints.create();
    await settle();
    finish();
    await next;
    end?.();
  }
  const last = checkpoints.create();
  await settle();
  finish();
  await last;
  assert.deepEqual(kept, ['lastTwo', 'all', 'all', 'lastTwo']);
});

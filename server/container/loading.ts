import { setTimeout as sleep } from 'node:timers/promises';
import type { Jobs } from '../jobs/jobs.ts';
import type { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Checkpoints } from '../serving/checkpoints.ts';
import type { Loading, StartLoading } from '../serving/model-changes.ts';

/** How long a job may take to stop by itself, which gives back all that it took, before it is cut off. */
const PATIENCE_MS = 1000;

/** Loads models by jobs: what serving asks for, done by what works beside it. */
export function loadByJobs(jobs: Jobs, arena: Arena, checkpoints: Checkpoints): StartLoading {
  return (descriptor, inputs, onProgress, cancelled): Loading => {
    const rendezvous = new Rendezvous(arena);
    const cutting = new AbortController();
    const caughtUp = Promise.withResolvers<number>();
    caughtUp.promise.catch(() => {});
    // Of the checkpoints one may be needed, until the model is in one of them.
    const held = checkpoints.keepAll();
    const work = async () => {
      await held;
      const task = { descriptor, rendezvous: rendezvous.address, inputs };
      for await (const step of jobs.run('load', task, cutting.signal)) {
        if (step.type === 'progress') onProgress(step.progress);
        else caughtUp.resolve(step.item.exactFrom);
      }
    };
    let isStopping = false;
    let failure: unknown;
    const worked = work().catch((error: unknown) => {
      if (!isStopping) failure = error;
      caughtUp.reject(error);
      rendezvous.giveUp();
    });
    const stop = async () => {
      isStopping = true;
      rendezvous.giveUp();
      const timer = new AbortController();
      await Promise.race([worked, sleep(PATIENCE_MS, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
      cutting.abort(new Error('the job did not stop by itself'));
      await worked;
    };
    if (cancelled.aborted) void stop();
    cancelled.addEventListener('abort', stop, { once: true });
    return {
      caughtUp: caughtUp.promise,
      rendezvous: rendezvous.address,
      end: async () => {
        cancelled.removeEventListener('abort', stop);
        await stop();
        rendezvous.free();
        (await held)();
        return failure;
      },
    };
  };
}

import type { Jobs } from '../jobs/jobs.ts';
import type { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import type { Loading, StartLoading } from '../serving/model-changes.ts';

/** Loads models by jobs: what serving asks for, done by what works beside it. */
export function loadByJobs(jobs: Jobs, arena: Arena): StartLoading {
  return ({ spec }, onProgress): Loading => {
    const { namespace, name, plugin, config } = spec;
    const rendezvous = new Rendezvous(arena);
    const ending = new AbortController();
    const caughtUp = Promise.withResolvers<ModelDescriptor>();
    let descriptor: ModelDescriptor | undefined;
    const work = async () => {
      const task = { spec: { namespace, name, plugin, config }, rendezvous: rendezvous.address };
      for await (const step of jobs.run('load', task, ending.signal)) {
        if (step.type === 'progress') onProgress(step.progress);
        else if (step.item.type === 'made') descriptor = step.item.descriptor;
        else if (descriptor) caughtUp.resolve(descriptor);
      }
    };
    let failure: unknown;
    const worked = work().catch((error: unknown) => {
      failure = ending.signal.aborted ? undefined : error;
      caughtUp.reject(error);
    });
    return {
      caughtUp: caughtUp.promise,
      rendezvous: rendezvous.address,
      end: async () => {
        // A job that gave up ends by itself, with why.
        if (!rendezvous.gaveUp) ending.abort(new Error('the loading was ended'));
        await worked;
        rendezvous.free();
        return { descriptor, failure };
      },
    };
  };
}

import util from 'node:util';
import type { Backend } from './backend.ts';
import type { Opening } from './openings.ts';
import { findPackage } from './packages.ts';
import { type Tfjs, TfjsBackend } from './tfjs.ts';

/** Native TensorFlow: on CUDA where the package is the one for it and a card is there, else on the processor. */

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

interface NodeBackend {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
}

export const TENSORFLOW: Opening = {
  name: 'tensorflow',
  remedy:
    'run `npm run setup:tensorflow` (with a CUDA card: `npm run setup:tensorflow -- gpu`) in the checkout of the server',
  isInstalled: () => PACKAGES.some((name) => findPackage(name)),
  async open(): Promise<Backend> {
    setEnvironment();
    const failures: string[] = [];
    for (const name of PACKAGES) {
      const found = findPackage(name);
      if (!found) continue;
      try {
        return await begin(found.load() as Tfjs, name);
      } catch (error) {
        failures.push(`${name}: ${firstLine(error)}`);
      }
    }
    throw new Error(failures.join('; ') || `neither ${PACKAGES.join(' nor ')} is installed`);
  },
};

async function begin(tf: Tfjs, name: string): Promise<Backend> {
  await tf.ready();
  // It falls back without a word.
  if (tf.getBackend() !== 'tensorflow') throw new Error(`it computes on ${tf.getBackend()} instead of tensorflow`);
  const { isUsingGpuDevice = false, binding } = tf.backend() as NodeBackend;
  const adapter = `TensorFlow ${binding?.TF_Version ?? ''} on ${isUsingGpuDevice ? 'CUDA' : 'the processor'} (${name})`;
  return new TfjsBackend(tf, { name: 'tensorflow', adapter, accelerated: isUsingGpuDevice, lost: undefined });
}

/** Before the libraries are loaded, and in the environment of the process, where they look. */
function setEnvironment(): void {
  const { env } = process;
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // Else it takes the whole card.
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  // Products of 10 bits are not those that the tests promise.
  env.NVIDIA_TF32_OVERRIDE ??= '0';
  // Node 23 took it away, and tfjs-node 4.22 calls it.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined });
  Object.assign(util, { isArray: Array.isArray });
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}

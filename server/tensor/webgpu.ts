import type { Backend } from './backend.ts';
import type { Opening } from './openings.ts';
import { findPackage } from './packages.ts';
import { type Tfjs, TfjsBackend } from './tfjs.ts';

/** WebGPU by npm's `webgpu` (Dawn): any graphics card with Vulkan, Metal or Direct3D 12. */

const PACKAGES = { dawn: 'webgpu', core: '@tensorflow/tfjs-core', backend: '@tensorflow/tfjs-backend-webgpu' };

interface Dawn {
  create(options: readonly string[]): Gpu;
  readonly globals: object;
}

interface Gpu {
  requestAdapter(wish: object): Promise<Adapter | null>;
}

interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface GpuDevice extends EventTarget {
  readonly lost: Promise<{ readonly message: string }>;
}

/** Software that plays a card: right, and slow. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;

export const WEBGPU: Opening = {
  name: 'webgpu',
  remedy: 'run `npm run setup:webgpu` in the checkout of the server',
  isInstalled: () => Object.values(PACKAGES).every((name) => findPackage(name)),
  async open(): Promise<Backend> {
    const missing = Object.values(PACKAGES).filter((name) => !findPackage(name));
    if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')}`);
    const adapter = await openAdapter();
    const tf = findPackage(PACKAGES.core)?.load() as Tfjs;
    findPackage(PACKAGES.backend)?.load();
    // It falls back without a word, or says false.
    if (!(await tf.setBackend('webgpu')) || tf.getBackend() !== 'webgpu')
      throw new Error(`TensorFlow.js computes on ${tf.getBackend() || 'nothing'} instead of webgpu`);
    const { vendor, architecture, device, description, isFallbackAdapter = false } = adapter.info;
    const name = [vendor, architecture, device, description].filter((part) => part !== '').join(' ');
    const accelerated = !isFallbackAdapter && !SOFTWARE.test(name);
    const lost = lossOf((tf.backend() as { readonly device: GpuDevice }).device);
    return new TfjsBackend(tf, { name: 'webgpu', adapter: name, accelerated, lost });
  },
};

/** Puts Dawn where TensorFlow.js looks for it: where a browser has it. */
async function openAdapter(): Promise<Adapter> {
  const { create, globals } = (await import(findPackage(PACKAGES.dawn)?.path ?? '')) as Dawn;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error(
      'this machine has no graphics card with a driver for Vulkan, Metal or Direct3D 12 that can be found',
    );
  return adapter;
}

/** What WebGPU refuses it tells by an event; the results of it are zeros. */
function lossOf(device: GpuDevice): Promise<string> {
  const refused = new Promise<string>((resolve) => {
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event as Event & { readonly error?: { readonly message?: string } };
      resolve(`WebGPU: ${error?.message ?? 'an error without a message'}`);
    });
  });
  return Promise.race([device.lost.then(({ message }) => `the device was lost: ${message}`), refused]);
}

import type { Backend } from './backend.ts';
import type { Opening } from './openings.ts';
import { TENSORFLOW } from './tensorflow.ts';
import { WEBGPU } from './webgpu.ts';

/** Every device but `cpu`, which is always there. */
export const OPENINGS: readonly Opening[] = [TENSORFLOW, WEBGPU];

export type DeviceSetting = 'auto' | 'cpu' | Opening['name'];

/** What became of a device that was looked for. */
export interface Trial {
  readonly name: Opening['name'];
  /** What would compute; absent when it cannot be used. */
  readonly adapter?: string;
  readonly accelerated?: boolean;
  /** Of `Device`; absent where it is not faster than `cpu` at anything that was tried. */
  readonly crossover?: number;
  /** Why it cannot be used. */
  readonly why?: string;
  /** How to get it, where it is not installed. */
  readonly remedy?: string;
}

/** Opens one device after another, until one is enough. */
export async function tryAll(
  names: readonly Opening['name'][],
  isEnough: (backend: Backend) => boolean = () => false,
): Promise<{ trials: Trial[]; opened: Backend[] }> {
  const trials: Trial[] = [];
  const opened: Backend[] = [];
  for (const opening of OPENINGS.filter(({ name }) => names.includes(name))) {
    const { name, remedy } = opening;
    if (!opening.isInstalled()) {
      trials.push({ name, why: 'it is not installed', remedy });
      continue;
    }
    try {
      const backend = await opening.open();
      opened.push(backend);
      trials.push({ name, adapter: backend.adapter, accelerated: backend.accelerated });
      if (isEnough(backend)) break;
    } catch (error) {
      trials.push({ name, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { trials, opened };
}

/** Devices that a setting is about and that are installed, or named. */
export function candidates(setting: DeviceSetting): Opening['name'][] {
  const named = OPENINGS.filter(({ name }) => setting === name);
  const found = setting === 'auto' ? OPENINGS.filter((opening) => opening.isInstalled()) : named;
  return found.map(({ name }) => name);
}

/**
 * The best of some devices for a setting; undefined stands for `cpu`. By itself a card is chosen, else TensorFlow, whose
 * code for the processor is faster than ours; software that plays a card is only used where it is named.
 */
export function choose<Found extends Pick<Backend, 'name' | 'accelerated'>>(
  setting: DeviceSetting,
  found: readonly Found[],
): Found | undefined {
  if (setting !== 'auto') return found.find(({ name }) => name === setting);
  return found.find(({ accelerated }) => accelerated) ?? found.find(({ name }) => name === 'tensorflow');
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Captures } from '../../server/learning/captures.ts';
import { Revisions } from '../../server/memory/revisions.ts';
import { Scale } from '../../server/memory/scale.ts';
import { Peers } from '../../server/models/peers.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { Classrooms } from '../../server/teaching/classrooms.ts';
import { Teacher } from '../../server/teaching/teacher.ts';
import { Lab } from '../laws/lab.ts';

/** Checkpoints of a lab, as a server makes them: captured here, written by a thread. */

const BUDGET_MIB = 3072;
const CONFIG = { base: 'biases', ranking: 'taste', k: 64, replay: { count: 0 } };

/** `mf` in its plain form, with room for the rows that change while a checkpoint is written. */
export async function createLab(): Promise<Lab> {
  const mf = await loadPlugin('mf');
  const lab = new Lab(mf, mf.config.parse(CONFIG), { budgetMiB: BUDGET_MIB });
  lab.arena.undo.reserve(lab.arena.budgetBytes, (bytes) => lab.arena.allocate(bytes));
  return lab;
}

export function capturesOf({ arena, world, model, kernels }: Lab): Captures {
  const deployment = {
    rating: { min: 1, max: 5 },
    evaluation: { rankEvery: 1, window: 1 },
    models: [],
    defaultModel: '',
    kinds: {},
    configured: {},
    scenarios: new Map(),
  };
  const revisions = new Revisions(arena);
  const host = { arena, world, scale: new Scale(1, 5), peers: new Peers() };
  const options = { rankEvery: 0, onQuarantine() {} };
  const teacher = new Teacher(host, kernels, [model], options);
  const classrooms = new Classrooms(world, teacher, { ...host, options });
  return new Captures({ arena, classrooms, deployment: () => deployment, revisions });
}

/** A thread that waits for a capture to write below `path`; it says when that is done, and ends. */
export async function startSaver({ arena }: Lab, path: string): Promise<Worker> {
  const workerData = { memory: arena.memory, path };
  const worker = new Worker(new URL('./saver.ts', import.meta.url), { workerData });
  await once(worker, 'message');
  return worker;
}

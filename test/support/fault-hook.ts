import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { isMainThread, workerData } from 'node:worker_threads';
import type { Fault } from './faulty-server.ts';

/** Loaded into a server by `--import`, in each of its threads: see `faulty-server.ts`. */

type Any = (...parameters: unknown[]) => unknown;

const fault = JSON.parse(process.env.TEST_FAULT ?? 'null') as Fault | null;
const thread = isMainThread ? 'main' : ((workerData as { kind?: string })?.kind ?? 'learner');
if (fault && fault.thread === thread) plant(fault);

function plant({ function: name, path, nth = 1, after = false, code, flag }: Fault): void {
  const module = (name === 'rmSync' ? fs : promises) as unknown as Record<string, Any>;
  const original = module[name];
  const wanted = new RegExp(path);
  let calls = 0;
  const end = () => {
    fs.writeFileSync(flag, 'hit');
    process.kill(process.pid, 'SIGKILL');
  };
  module[name] = (...parameters) => {
    const isIt = parameters.some((each) => typeof each === 'string' && wanted.test(each));
    if (!isIt || fs.readFileSync(flag, 'utf8') !== 'armed' || ++calls < nth) return original(...parameters);
    if (code) throw Object.assign(new Error(`${code}: a planted fault`), { code });
    if (!after) end();
    const result = original(...parameters);
    return result instanceof Promise ? result.then(end) : end();
  };
  syncBuiltinESMExports();
}

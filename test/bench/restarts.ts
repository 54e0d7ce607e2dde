import { loadPlugin } from '../../server/models/plugins.ts';
import { Lab } from '../laws/lab.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { appendRatings, drawRatings, forgetCheckpoints, timeStart } from './journals.ts';
import { ofRounds, type Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/** How long a start takes, by the length of the journal, with a checkpoint and without; a start after SIGKILL too. */

const part = 'durability';
const LENGTHS = [100_000, 1_000_000, 10_000_000];
/** Ratings of a user. */
const EACH = 100;
const ROUNDS = 3;
/** Ratings after the checkpoint. */
const TAIL = 10_000;
const CONFIG = { base: 'biases', ranking: 'taste', k: 32, replay: { count: 0 } };
const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };
const REPLAY_S = 10;
/** Of the rate at which the same model learns in process. */
const REPLAY_PART = 0.8;

export async function benchRestarts(report: Report): Promise<void> {
  report.heading('Starts: plain mf k=32 without replay of past ratings');
  const kernel = await kernelRate();
  report.add({ part, name: 'learning in process, no wire and no disk', value: kernel, unit: 'ratings/s' });
  const config = { models: [{ name: 'mf', plugin: 'mf', config: CONFIG }], checkpoint: NEVER };
  for (const length of LENGTHS) await withServer(config, (server) => restarts(report, server, length, kernel));
}

async function restarts(report: Report, server: ServerProcess, length: number, kernel: number): Promise<void> {
  const configHash = await requireConfigHash(server, 'mf');
  const add = (name: string, value: number, unit: string, more = {}) =>
    report.add({ part, name, value, unit, configHash, ...more });
  const text = length.toLocaleString('en-US');
  await server.stop();
  const empty = (await timeStart(server)).seconds;
  await server.stop();
  forgetCheckpoints(server);
  await appendRatings(server.data, length, length / EACH);
  const replay = (await timeStart(server)).seconds;
  // A process without a journal takes as long.
  const replayed = length / Math.max(0.001, replay - empty);
  const isLongest = length === LENGTHS.at(-1);
  const target = isLongest ? { target: { atMost: Math.max(REPLAY_S, length / (REPLAY_PART * kernel)) } } : {};
  add(`start with a journal of ${text}, no checkpoint`, replay, 's', target);
  if (length > LENGTHS[0]) add('  learned, times learning in process', replayed / kernel, '');
  const { checkpoint } = await server.client.createCheckpoint();
  add('  its checkpoint', Number(checkpoint?.bytes) / 2 ** 20, 'MiB');
  add('  its checkpoint took', Number(checkpoint?.duration?.seconds) + (checkpoint?.duration?.nanos ?? 0) / 1e9, 's');
  await server.kill();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, checkpoint: begun } = await timeStart(server);
    if (begun === undefined) throw new Error('it did not begin from the checkpoint');
    rounds.push(seconds);
    await server.kill();
  }
  report.add({ part, name: '  start after SIGKILL, from the checkpoint', ...ofRounds(rounds), unit: 's', configHash });
  await appendRatings(server.data, TAIL, TAIL / EACH);
  add(`  the same with ${TAIL.toLocaleString('en-US')} ratings after it`, (await timeStart(server)).seconds, 's');
}

/** Ratings a second that a model of this configuration learns by itself. */
async function kernelRate(): Promise<number> {
  const mf = await loadPlugin('mf');
  const lab = new Lab(mf, mf.config.parse(CONFIG), { budgetMiB: 2048 });
  const ratings = [...drawRatings(LENGTHS[1], LENGTHS[1] / EACH)];
  const beganMs = performance.now();
  lab.teachAll(ratings);
  return ratings.length / ((performance.now() - beganMs) / 1000);
}

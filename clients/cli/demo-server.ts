import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from './connection.ts';
import { EXIT } from './failure.ts';
import { Output } from './output.ts';
import { ServerProcess } from './server-process.ts';

/** The longest wait for an answer. */
export const TIMEOUT_MS = 10_000;

interface Demo {
  readonly models: readonly { readonly name: string }[];
  /** Settings of the server, besides. */
  readonly flags?: readonly string[];
  /** What to do next, when all is gone. */
  readonly next: string;
  run(connection: Connection): Promise<void>;
}

/** Runs a demo on a server of its own, with an empty store that goes afterwards. */
export async function runDemo(demo: Demo): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'accrete-demo-'));
  try {
    await runIn(folder, demo);
  } catch (error) {
    new Output(false).fail(error);
    process.exitCode = EXIT.failed;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runIn(folder: string, { models, flags = [], next, run }: Demo): Promise<void> {
  const server = await ServerProcess.start(folder, [
    '--listen=127.0.0.1:0',
    '--metrics.listen=off',
    '--rating.min=0.5',
    `--models=${JSON.stringify(models)}`,
    ...flags,
  ]);
  const connection = new Connection(server.address, TIMEOUT_MS);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void server.stop());
  try {
    process.stdout.write(
      `A server of its own listens on ${server.address}, with an empty store. Its models: ${models.map(({ name }) => name).join(', ')}\n`,
    );
    await run(connection);
  } finally {
    connection.close();
    await server.stop();
  }
  process.stdout.write(`\nThe server has stopped, and its store is removed. ${next}\n`);
}

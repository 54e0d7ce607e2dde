import { describeConfig } from './config/changes.ts';
import { loadConfig } from './config/load.ts';
import { AccreteError, type PlainError } from './errors.ts';
import type { Hangups } from './hangups.ts';
import type { Repair } from './repair.ts';
import { quietLibrary } from './rpc/library-log.ts';
import { AccreteServer } from './server.ts';
import { createLog, type Logger, type LogTee } from './telemetry/log.ts';
import { startOtlp } from './telemetry/otlp.ts';

/** What `npm start` runs: configuration, server, signals, exit code. */

const USAGE = `Usage: npm start -- [--doctor | --repair [--dry-run] | --print-config] [--config FILE] [--KEY VALUE]...

Every key of docs/configuration.md can be given: --listen 127.0.0.1:50051 --rating.max 10
With --doctor nothing is started: it prints what a start would find, as JSON. See \`accrete doctor\`.
With --print-config nothing is started: it prints every setting, where its value comes from, and whether SIGHUP changes it.
With --repair a damaged journal is made usable again, less what cannot be read: see \`accrete doctor --repair\`.
--import FILE makes a store of a file, --verify FILE checks one; the first of all arguments. See \`accrete checkpoint\`.
`;

const DOCTOR = '--doctor';
const REPAIR = '--repair';
const DRY_RUN = '--dry-run';
const PRINT_CONFIG = '--print-config';
const SWITCHES: readonly string[] = [DOCTOR, REPAIR, DRY_RUN, PRINT_CONFIG];
/** What `accrete checkpoint` runs. */
const STORE_FILE = /^--(import|verify)$/;

/** Never rejects: what fails is told on standard error, and by the exit code. */
export async function run(args: readonly string[], hangups: Hangups): Promise<void> {
  try {
    const other = findOther(args);
    if (!other) return await serve(args, hangups);
    hangups.leave();
    await other();
  } catch (error) {
    process.stderr.write(`accrete: ${explain(error).message}\n`);
    process.exit(1);
  }
}

/** What is done without a server, if that is asked for. */
function findOther(args: readonly string[]): (() => unknown) | undefined {
  const flags = args.filter((argument) => !SWITCHES.includes(argument));
  if (args.includes('--help')) return () => process.stdout.write(USAGE);
  if (args.includes(DOCTOR))
    return async () => {
      const { examine } = await import('./doctor.ts');
      process.stdout.write(`${JSON.stringify(await examine({ env: process.env, flags }))}\n`);
    };
  if (args.includes(REPAIR))
    return async () => {
      const { repair } = await import('./repair.ts');
      await printRepair(repair({ env: process.env, flags, dryRun: args.includes(DRY_RUN) }));
    };
  if (STORE_FILE.test(args[0] ?? '')) return () => storeFile(args);
  if (args.includes(PRINT_CONFIG))
    return () => {
      const described = describeConfig(loadConfig({ env: process.env, flags }));
      process.stdout.write(`${JSON.stringify(described, null, 2)}\n`);
    };
  return undefined;
}

async function serve(flags: readonly string[], hangups: Hangups): Promise<void> {
  quietLibrary(process.env);
  const loaded = loadConfig({ env: process.env, flags });
  const { config } = loaded;
  const tee: LogTee = {};
  const log = createLog(config.log.level, tee);
  const otlp = await startOtlp(process.env, log, tee);
  const server = new AccreteServer(loaded, log, otlp);
  // A signal to the process group arrives twice, and once more through npm: the first one counts.
  const stop = async () => {
    const deadlineMs = performance.now() + config.drain.timeoutMs;
    await server.stop();
    await otlp?.stop(deadlineMs - performance.now());
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  hangups.take(() => reload(server, flags, log), stop);
  const { grpc, metrics } = await server.start();
  server.shrinkWhenIdle();
  log.info({ grpc, metrics, data: config.data }, 'listening');
  const failure = await server.failed;
  await otlp?.stop(0);
  throw failure;
}

/** Reads the configuration again, and says what of it a running server cannot take over. */
function reload(server: AccreteServer, flags: readonly string[], log: Logger): void {
  try {
    const { applied, restart } = server.reload(loadConfig({ env: process.env, flags }));
    log.info({ applied }, 'the configuration was read again, and certificates, tokens and keys');
    if (restart.length > 0) log.warn({ restart }, 'these settings are other now, and need a restart');
  } catch (error) {
    log.error({ why: explain(error).message }, 'the configuration cannot be used; everything goes on as it was');
  }
}

/** As JSON, the failure too. */
async function printRepair(repair: Promise<Repair>): Promise<void> {
  const document = await repair.catch((error: unknown) => ({ error: explain(error) }));
  process.stdout.write(`${JSON.stringify(document)}\n`);
  if ('error' in document) process.exitCode = 1;
}

/** Prints lines of JSON, the last of which says what there was, or why it failed. */
async function storeFile([flag, file = '', ...flags]: readonly string[]): Promise<void> {
  // Whoever reads the lines may be gone; what was begun is cleaned up all the same.
  process.stdout.on('error', () => {});
  const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  try {
    const { config } = loadConfig({ env: process.env, flags });
    const folder = flag === '--import' ? config.data : undefined;
    const { readStoreFile } = await import('./store-file.ts');
    await readStoreFile({ file, folder, linkBytes: config.journal.linkMiB * 2 ** 20 }, tell);
  } catch (error) {
    const failure = explain(error);
    if (failure.reason === 'INTERNAL') process.stderr.write(`${(error as Error).stack}\n`);
    tell({ error: failure });
    process.exitCode = 1;
  }
}

/** With its cause: whoever runs this has no other log. */
function explain(error: unknown): PlainError {
  const failure = AccreteError.wrap(error);
  const { message, cause } = failure;
  const why = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : '';
  return { ...failure.toJSON(), message: message + why };
}

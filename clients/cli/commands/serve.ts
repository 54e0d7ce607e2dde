import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Command } from 'commander';
import { SERVER } from '../server-process.ts';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('start a server; all arguments are its own (--config FILE, --listen ADDRESS, --KEY VALUE; see --help)')
    .usage('[--config FILE] [--KEY VALUE]...')
    .addHelpText('after', '\nExample:\n  accrete serve --data ./data --rating.min 0.5\n')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      process.exitCode = await serve(command.args);
    });
}

/** Runs a server until it ends; signals go to it, and its exit code is returned. */
function serve(args: readonly string[]): Promise<number> {
  const server = spawn(process.execPath, [SERVER, ...args], { stdio: 'inherit' });
  for (const signal of SIGNALS) process.on(signal, () => void server.kill(signal));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

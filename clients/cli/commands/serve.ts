import { getCompileCacheDir } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { SERVER } from '../server-process.ts';

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
      await serve(command.args);
    });
}

/** Becomes the server: signals and the exit code are its own, and no second process waits beside it. */
async function serve(args: readonly string[]): Promise<void> {
  process.argv = [process.execPath, SERVER, ...args];
  // Its threads load most of it again.
  process.env.NODE_COMPILE_CACHE ??= getCompileCacheDir();
  await import(pathToFileURL(SERVER).href);
}

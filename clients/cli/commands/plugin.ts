import type { Command } from 'commander';
import { scaffoldPlugin } from '../plugin-scaffold.ts';
import { withSession } from '../session.ts';

const EXAMPLES = `
Examples:
  accrete plugin new item-age                     in ./item-age
  accrete plugin new item-age --at plugins        among the plugins of a checkout: models name it item-age
  accrete plugin new item-age --at ~/projects     a project of its own
`;

export function addPlugin(program: Command): void {
  const plugin = program.command('plugin').description('algorithms of your own').addHelpText('after', EXAMPLES);
  plugin
    .command('new')
    .description('make the simplest whole plugin, with its test, in a folder of its name')
    .argument('<name>', 'a lower-case letter, then a-z, 0-9 and -')
    .option('--at <folder>', 'where the folder is made', '.')
    .action((name: string, { at }: { at: string }, command: Command) =>
      withSession(command, async ({ output }) => {
        const made = scaffoldPlugin(name, at);
        output.answer(made, () => {
          output.line(`${made.folder} has ${made.files.join(', ')}`);
          output.line(
            `test it:   ${made.test.startsWith('npm test --') ? made.test : `cd ${made.folder} && ${made.test}`}`,
          );
          output.line(`serve it:  ${made.serve}`);
        });
      }),
    );
}

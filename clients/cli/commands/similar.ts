import type { Command } from 'commander';
import { withSession } from '../session.ts';
import { addPagedOptions, type PagedOptions, recommend } from './recommendation.ts';

const EXAMPLES = `
Examples:
  accrete similar solaris
  accrete similar solaris --filter 'categories:"drama"' --pages 3
`;

export function addSimilar(program: Command): void {
  const command = program
    .command('similar')
    .description('more like an item, the most alike first; the item itself is left out')
    .argument('<item>');
  addPagedOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((item: string, options: PagedOptions, command: Command) =>
      withSession(command, (session) => recommend({ $case: 'itemId', value: item }, options, session)),
    );
}

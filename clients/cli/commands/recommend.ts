import type { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { parseList, withSession } from '../session.ts';
import { addPagedOptions, type PagedOptions, recommend } from './recommendation.ts';

const EXAMPLES = `
Examples:
  accrete recommend ada --titles movies.csv --explain
  accrete recommend ada --filter 'NOT labels:"adult" AND attributes.year >= 1990' --diversity 0.3
  accrete recommend --session solaris,stalker --count 5
  accrete recommend ada --candidates solaris --include-seen      what would ada give it?
`;

interface Options extends PagedOptions {
  readonly session?: readonly string[];
}

export function addRecommend(program: Command): void {
  const command = program
    .command('recommend')
    .description('the best items for a user, or for someone unknown by what they have just looked at; best first')
    .argument('[user]')
    .option('--session <ids>', 'in place of a user: items just looked at, the latest last', parseList);
  addPagedOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((user: string | undefined, { session, ...options }: Options, command: Command) => {
      if ((user === undefined) === (session === undefined))
        throw new UsageError('a user is needed, or --session ITEMS in place of one: accrete recommend USER');
      return withSession(command, (own) => {
        if (session) return recommend({ $case: 'session', value: { itemIds: [...session] } }, options, own);
        return recommend({ $case: 'userId', value: user ?? '' }, options, own);
      });
    });
}

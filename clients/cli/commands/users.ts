import type { Command } from 'commander';
import { GetUserRequest, GetUserResponse, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import { factTable, formatCount } from '../output.ts';
import { withSession } from '../session.ts';

const EXAMPLES = `
Examples:
  accrete users get ada
  accrete ratings ada
`;

export function addUsers(program: Command): void {
  const users = program.command('users').description('what is known of users').addHelpText('after', EXAMPLES);
  users
    .command('get')
    .description('what is known of a user')
    .argument('<user>')
    .action((userId: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const answer = await connection.call(UserServiceService.getUser, GetUserRequest.fromPartial({ userId }));
        output.answer(GetUserResponse.toJSON(answer), () => output.table(factTable(factsOf(answer))));
      }),
    );
}

function factsOf({ user, ratingCount, revision }: GetUserResponse): [name: string, value: string][] {
  const embeddings = Object.entries(user?.embeddings ?? {}).map(
    ([name, vector]) => `${name} (${vector.values.length})`,
  );
  return [
    ['user', user?.userId ?? ''],
    ['labels', user?.labels.join(', ') ?? ''],
    ['attributes', user?.attributes ? JSON.stringify(user.attributes) : ''],
    ['embeddings', embeddings.join(', ')],
    ['ratings', formatCount(ratingCount)],
    ['revision', revision],
  ];
}

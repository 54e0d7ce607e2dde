import type { Command } from 'commander';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { ListRatingsRequest, ListRatingsResponse, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import type { Connection } from '../connection.ts';
import { formatIso } from '../import/time.ts';
import type { Table } from '../output.ts';
import { collectPages } from '../paging.ts';
import { withSession } from '../session.ts';

const PAGE_SIZE = 1000;

export function addRatings(program: Command): void {
  program
    .command('ratings')
    .description("a user's ratings and events, the latest arrival first")
    .argument('<user>')
    .addHelpText('after', '\nExample:\n  accrete ratings ada\n')
    .action((user: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const ratings = await listRatings(connection, user);
        output.answer(ListRatingsResponse.toJSON({ ratings, nextPageToken: '' }), () =>
          output.table(ratingTable(ratings)),
        );
      }),
    );
}

async function listRatings(connection: Connection, userId: string): Promise<Rating[]> {
  const { entries } = await collectPages(async (pageToken) => {
    const request = ListRatingsRequest.fromPartial({ userId, pageSize: PAGE_SIZE, pageToken });
    const page = await connection.call(UserServiceService.listRatings, request);
    return { entries: page.ratings, nextPageToken: page.nextPageToken };
  });
  return entries;
}

function ratingTable(ratings: readonly Rating[]): Table {
  return {
    columns: [
      { name: 'item' },
      { name: 'value', align: 'right' },
      { name: 'weight', align: 'right' },
      { name: 'time' },
      { name: 'kind' },
    ],
    rows: ratings.map(({ itemId, kind, value, weight, eventTime }) => [
      itemId,
      String(value ?? ''),
      String(weight ?? 1),
      eventTime ? formatIso(eventTime) : '',
      kind,
    ]),
  };
}

import type { Command } from 'commander';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { ListRatingsRequest, ListRatingsResponse, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import type { Connection } from '../connection.ts';
import type { Table } from '../output.ts';
import { withSession } from '../session.ts';

const PAGE_SIZE = 1000;

export function addRatings(program: Command): void {
  program
    .command('ratings')
    .description("a user's ratings and events, the latest arrival first")
    .argument('<user>')
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
  const ratings: Rating[] = [];
  let pageToken = '';
  do {
    const request = ListRatingsRequest.fromPartial({ userId, pageSize: PAGE_SIZE, pageToken });
    const page = await connection.call(UserServiceService.listRatings, request);
    ratings.push(...page.ratings);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return ratings;
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
      eventTime ? new Date(Number(eventTime.seconds) * 1000 + eventTime.nanos / 1e6).toISOString() : '',
      kind,
    ]),
  };
}

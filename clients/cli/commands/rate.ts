import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { RateRequest, RateResponse, RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { UsageError } from '../failure.ts';
import { parseTime, type Time, toTimestamp } from '../import/time.ts';
import { ANY, parseNumberOf, withSession } from '../session.ts';

interface RateOptions {
  readonly time?: Time;
  readonly kind?: string;
  readonly weight?: number;
  readonly retract?: boolean;
  readonly requestId?: string;
}

const EXAMPLES = `
Examples:
  accrete rate ada tea 4.5
  accrete rate ada tea 3 --time 2026-01-31T12:00:00Z --weight 2
  accrete rate ada tea --retract
`;

export function addRate(program: Command): void {
  program
    .command('rate')
    .description('tell what a user thinks of an item, or did with it; the server has learned it when this returns')
    .argument('<user>')
    .argument('<item>')
    .argument('[value]', 'on the scale of the server', parseNumberOf(ANY))
    .option(
      '--time <time>',
      'when it happened: seconds or milliseconds since 1970, or ISO 8601 (default: now)',
      parseTimeOption,
    )
    .option('--weight <weight>', 'multiplies the learning step (default: 1)', parseNumberOf(ANY))
    .option('--kind <kind>', 'an event of this kind, such as click: it needs no value (default: a rating)')
    .option('--retract', 'take the rating back, or all events of --kind')
    .option('--request-id <id>', 'makes it safe to run the command again (default: a new one each time)')
    .addHelpText('after', EXAMPLES)
    .action((user: string, item: string, value: number | undefined, options: RateOptions, command: Command) => {
      if (value === undefined && !options.kind && !options.retract)
        throw new UsageError('a value is needed: accrete rate USER ITEM VALUE, or --kind, or --retract');
      return withSession(command, async ({ connection, output }) => {
        const answer = await connection.call(RecommenderServiceService.rate, requestOf(user, item, value, options));
        output.answer(RateResponse.toJSON(answer), () =>
          output.line(`${answer.duplicate ? 'learned before, at' : 'learned at'} revision ${answer.revision}`),
        );
      });
    });
}

/** With a `request_id` in any case: the call is repeated when the server is away. */
function requestOf(userId: string, itemId: string, value: number | undefined, options: RateOptions): RateRequest {
  const { time, kind, weight, retract, requestId } = options;
  const eventTime = time && toTimestamp(time);
  return RateRequest.fromPartial({
    requestId: requestId ?? randomUUID(),
    ratings: [{ userId, itemId, value, eventTime, kind, weight, retract }],
  });
}

function parseTimeOption(text: string): Time {
  const time = parseTime(text);
  if (time === undefined) throw new InvalidArgumentError('It takes seconds or milliseconds since 1970, or ISO 8601.');
  return time;
}

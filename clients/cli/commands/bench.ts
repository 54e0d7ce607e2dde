import { type Command, InvalidArgumentError, Option } from 'commander';
import { RecommenderServiceService, RecommendRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { HealthCheckRequest, HealthService } from '../../../proto/gen/grpc/health/v1/health.ts';
import { formatCount, type Table } from '../output.ts';
import { parseNumberOf, SEED, withSession } from '../session.ts';

interface BenchOptions {
  readonly users: Users;
  readonly calls: number;
  readonly concurrency: number;
  readonly model?: string;
  readonly count: number;
  readonly seed: number;
}

/** User ids, by their place. */
interface Users {
  readonly count: number;
  readonly at: (place: number) => string;
}

/** Both calls take turns, so that whatever else the machine does falls on both. */
const ROUNDS = 5;
const CALLS_MAX = 10_000_000;

export function addBench(program: Command): void {
  program
    .command('bench')
    .description(
      'calls Recommend for users drawn at random, and the health check beside it; one process of Node drives them',
    )
    .addOption(usersOption())
    .option('--calls <n>', 'calls of each kind', parseNumberOf({ min: ROUNDS, max: CALLS_MAX, whole: true }), 10_000)
    .option('--concurrency <n>', 'calls at once', parseNumberOf({ min: 1, max: 1000, whole: true }), 16)
    .option('--model <name>', 'who answers (default: the default model)')
    .option('--count <n>', 'items in an answer', parseNumberOf({ min: 1, max: 1000, whole: true }), 10)
    .option('--seed <n>', 'draws the users', parseNumberOf(SEED), 1)
    .addHelpText('after', '\nExample:\n  accrete bench --users 1..943 --concurrency 32\n')
    .action((options: BenchOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const { users, calls, concurrency, model, count, seed } = options;
        const random = randomFrom(seed);
        const recommend = new Load('Recommend', () => {
          const subject = { $case: 'userId', value: users.at(Math.floor(random() * users.count)) } as const;
          return connection.call(
            RecommenderServiceService.recommend,
            RecommendRequest.fromPartial({ subject, model, pageSize: count }),
          );
        });
        const check = new Load('Check', () => connection.call(HealthService.check, HealthCheckRequest.fromPartial({})));
        for (let round = 0; round < ROUNDS; round++) {
          for (const load of [check, recommend]) await load.run(Math.ceil(calls / ROUNDS), concurrency);
        }
        const figures = [recommend.figures, check.figures];
        output.answer({ concurrency, calls: figures }, () => output.table(figuresTable(figures)));
      }),
    );
}

interface Figures {
  readonly call: string;
  readonly count: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One kind of call, made again and again by several at once. */
class Load {
  readonly #name: string;
  readonly #call: () => Promise<unknown>;
  readonly #latenciesMs: number[] = [];
  #seconds = 0;

  constructor(name: string, call: () => Promise<unknown>) {
    this.#name = name;
    this.#call = call;
  }

  /** Rejects with the first failure. */
  async run(calls: number, concurrency: number): Promise<void> {
    const startMs = performance.now();
    let left = calls;
    const caller = async () => {
      while (left-- > 0) {
        const callMs = performance.now();
        await this.#call();
        this.#latenciesMs.push(performance.now() - callMs);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, caller));
    this.#seconds += (performance.now() - startMs) / 1000;
  }

  get figures(): Figures {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
    return {
      call: this.#name,
      count: sorted.length,
      callsPerSecond: sorted.length / this.#seconds,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    };
  }
}

function figuresTable(figures: readonly Figures[]): Table {
  const numbers = ['calls', 'calls/s', 'p50 ms', 'p99 ms'].map((name) => ({ name, align: 'right' as const }));
  return {
    columns: [{ name: 'call' }, ...numbers],
    rows: figures.map(({ call, count, callsPerSecond, p50Ms, p99Ms }) => [
      call,
      formatCount(count),
      formatCount(callsPerSecond),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
    ]),
  };
}

function usersOption(): Option {
  const text = '1..1000';
  const option = new Option('--users <users>', 'ids with commas between them, or a range of numbers');
  return option.argParser(parseUsers).default(parseUsers(text), text);
}

/** Reads `1..943`, or `ada,grace`. */
function parseUsers(text: string): Users {
  const [, first, last] = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) {
    return { count: Number(last) - Number(first) + 1, at: (place) => String(Number(first) + place) };
  }
  const ids = text.split(',').filter((id) => id !== '');
  if (ids.length === 0 || first !== undefined)
    throw new InvalidArgumentError('It takes ids with commas between them, or a range such as 1..943.');
  return { count: ids.length, at: (place) => ids[place] };
}

/** Numbers from 0 to below 1, always the same for one seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

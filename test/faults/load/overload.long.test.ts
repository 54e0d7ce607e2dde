import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RateRequest, RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { Blast, type Load } from '../../bench/blast.ts';
import { randomNumbers, rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { readFailure } from '../../support/status.ts';

/**
 * Twice the load that a server can bear, from clients that do not wait: it goes on near its peak, in bounded memory, and
 * answers those whom it takes within a bounded time. For a machine that does little else; FAULTS_SECONDS makes it shorter.
 */

const SECONDS = Number(process.env.FAULTS_SECONDS || 60);
const BUDGET_MIB = 512;
/** Beside the budget: Node itself, the code, and what calls under way take. */
const BESIDE_MIB = 400;
const GOODPUT_LEAST = 0.9;
/** The wait behind a full queue, times this, and a second: the machine is not always as fast. */
const WAIT_TIMES = 3;
/** What `ring.mib` is unless set, and the single calls that wait at most. */
const QUEUE = { bytes: 16 * 2 ** 20, calls: 8192 };
const OPEN = { connections: 16, inFlight: 4000 };
const PEAK_SECONDS = 4;
const RAISE = 1.3;
const { path } = RecommenderServiceService.rate;

const blast = Blast.build();
const skip = blast.handicap ? `the load is made by a generator in Go: ${blast.handicap}` : false;

type OfServer = Omit<Load, 'calls' | 'inFlight'>;

/** Of one rating each the calls cost most; of many, the learning. */
for (const { ratings, inFlight } of [
  { ratings: 200, inFlight: 16 },
  { ratings: 1, inFlight: 64 },
]) {
  test(`twice the peak of calls with ${ratings} ratings`, { skip, timeout: 600_000 }, async (t) => {
    const config = {
      models: [{ name: 'mf', plugin: 'mf' }],
      memory: { budgetMiB: BUDGET_MIB },
    };
    const server = await ServerProcess.start(t, config);
    const load = { address: server.address, path, messages: messagesOf(ratings) };
    const peak = await peakOf(load, inFlight);
    await server.client.recommend('user-1');

    const memory = watchMemory(server);
    const refusals = watchRefusals(server, ratings);
    const offered = { ...load, ...OPEN, rate: 2 * peak, seconds: SECONDS };
    const { status, acceptedInTime, acceptedP50Us, acceptedP99Us } = await blast.offer(offered);
    const goodput = acceptedInTime / SECONDS;
    const { largestMiB } = memory.end();
    const waits = await refusals.end();
    report(t, { peak, goodput, status, acceptedP50Us, acceptedP99Us, largestMiB, ...waits });
    assert(goodput > GOODPUT_LEAST * peak, `goodput is ${(goodput / peak).toFixed(2)} of the peak`);
    const waiting = Math.min(QUEUE.calls, QUEUE.bytes / load.messages[0].length);
    const mostMs = 1000 * (1 + (WAIT_TIMES * waiting) / goodput);
    assert(acceptedP99Us < mostMs * 1000, `the p99 of the accepted is ${acceptedP99Us / 1000} ms, not ${mostMs}`);
    assert(largestMiB < BUDGET_MIB + BESIDE_MIB, `the server took ${largestMiB} MiB`);

    // And it is as it was.
    await server.client.rate([rating('ann', 'matrix', 4)]);
    const after = await peakOf(load, inFlight);
    t.diagnostic(`afterwards: ${(after / peak).toFixed(2)} of the peak before`);
    assert(after > 0.7 * peak);
  });
}

function messagesOf(ratings: number): Uint8Array[] {
  const random = randomNumbers(1);
  const draw = (count: number) => Math.floor(random() * count);
  return Array.from({ length: 4000 / ratings + 400 }, () =>
    RateRequest.encode(
      RateRequest.fromPartial({
        ratings: Array.from({ length: ratings }, () => rating(`user-${draw(5000)}`, `item-${draw(2000)}`, 1 + draw(5))),
      }),
    ).finish(),
  );
}

/** Calls that end well in a second, at most: the rate is raised until no more of them do. */
async function peakOf(load: OfServer, inFlight: number): Promise<number> {
  const { calls, seconds } = await blast.run({ ...load, calls: 4000, inFlight });
  let peak = 0;
  for (let rate = calls / seconds; ; rate *= RAISE) {
    const { acceptedInTime } = await blast.offer({ ...load, ...OPEN, rate, seconds: PEAK_SECONDS });
    const goodput = acceptedInTime / PEAK_SECONDS;
    peak = Math.max(peak, goodput);
    if (goodput < 0.9 * rate) return peak;
  }
}

function watchMemory({ pid }: ServerProcess): { end(): { largestMiB: number } } {
  let largestMiB = 0;
  const look = () => {
    const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    largestMiB = Math.max(largestMiB, Number(kib) / 1024);
  };
  const timer = setInterval(look, 200);
  return {
    end() {
      look();
      clearInterval(timer);
      return { largestMiB };
    },
  };
}

/** What one more client meets, who looks at the details of refusals; and how long recommendations take meanwhile. */
function watchRefusals(server: ServerProcess, ratings: number) {
  let over = false;
  let refused = 0;
  const waitsMs: number[] = [];
  const client = server.connect();
  const batch = Array.from({ length: ratings }, (_, n) => rating('ann', `item-${n}`, 3));
  const running = (async () => {
    for (; !over; await sleep(50)) {
      const taken = await client.rate(batch).catch((error) => {
        const { code, reason, retryMs } = readFailure(error);
        assert.deepEqual([code, reason], ['RESOURCE_EXHAUSTED', 'QUEUE_FULL']);
        assert(retryMs !== undefined && retryMs > 0);
        refused++;
      });
      if (taken) assert.equal(taken.acceptedCount, ratings);
      const startMs = performance.now();
      await client.recommend('user-1');
      waitsMs.push(performance.now() - startMs);
    }
  })();
  return {
    async end() {
      over = true;
      await running;
      waitsMs.sort((one, other) => one - other);
      return { refused, recommendP50Ms: waitsMs[Math.floor(waitsMs.length / 2)], recommendMaxMs: waitsMs.at(-1) ?? 0 };
    },
  };
}

interface Figures {
  readonly peak: number;
  readonly goodput: number;
  readonly status: Readonly<Record<string, number>>;
  readonly acceptedP50Us: number;
  readonly acceptedP99Us: number;
  readonly largestMiB: number;
  readonly refused: number;
  readonly recommendP50Ms: number;
  readonly recommendMaxMs: number;
}

function report(t: TestContext, figures: Figures): void {
  const { peak, goodput, status, acceptedP50Us, acceptedP99Us, largestMiB, refused } = figures;
  t.diagnostic(
    `peak ${peak.toFixed(0)} calls/s; offered ${(2 * peak).toFixed(0)} for ${SECONDS} s: ${JSON.stringify(status)}`,
  );
  t.diagnostic(`goodput ${goodput.toFixed(0)} calls/s, ${(goodput / peak).toFixed(2)} of the peak`);
  t.diagnostic(`accepted: p50 ${(acceptedP50Us / 1000).toFixed(0)} ms, p99 ${(acceptedP99Us / 1000).toFixed(0)} ms`);
  t.diagnostic(`memory ${largestMiB.toFixed(0)} MiB at most, with a budget of ${BUDGET_MIB}`);
  const { recommendP50Ms, recommendMaxMs } = figures;
  t.diagnostic(
    `another client was refused ${refused} times; recommendations p50 ${recommendP50Ms.toFixed(0)} ms, at most ${recommendMaxMs.toFixed(0)} ms`,
  );
}

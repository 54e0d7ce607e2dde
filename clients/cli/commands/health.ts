import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  HealthCheckRequest,
  HealthService,
  healthCheckResponse_ServingStatusToJSON,
} from '../../../proto/gen/grpc/health/v1/health.ts';
import type { Connection } from '../connection.ts';
import { EXIT, Failure } from '../failure.ts';
import { parseNumberOf, withSession } from '../session.ts';

const EXAMPLES = `
The exit code is 0 if it serves, and 1 if not or if nobody answers: for probes that run inside the container
(the command asks where ACCRETE_LISTEN says, unless --address or ACCRETE_ADDRESS name another place).

Examples:
  accrete health                                  # calls are answered
  accrete health accrete.write                    # ratings can be made durable
  accrete health --wait 60 --address unix:/run/accrete/accrete.sock
`;

const WAIT_SECONDS_MAX = 86_400;
const AGAIN_MS = 100;

interface HealthOptions {
  readonly wait: number;
}

export function addHealth(program: Command): void {
  program
    .command('health')
    .description('whether a server answers calls, or takes ratings (accrete.write)')
    .argument('[service]', 'as grpc.health.v1 names it (default: the whole server)')
    .option('--wait <seconds>', 'ask until it serves', parseNumberOf({ min: 0, max: WAIT_SECONDS_MAX }), 0)
    .addHelpText('after', EXAMPLES)
    .action((service: string | undefined, { wait }: HealthOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const status = await ask(connection, service ?? '', performance.now() + wait * 1000);
        output.answer({ status }, () => output.line(status));
        if (status !== 'SERVING') process.exitCode = EXIT.failed;
      }),
    );
}

/** What it answers; asked again until it serves or the time is over. Throws Failure. */
async function ask(connection: Connection, service: string, untilMs: number): Promise<string> {
  for (;;) {
    const isLast = performance.now() + AGAIN_MS >= untilMs;
    try {
      const { status } = await connection.call(HealthService.check, HealthCheckRequest.fromPartial({ service }));
      const name = healthCheckResponse_ServingStatusToJSON(status);
      if (name === 'SERVING' || isLast) return name;
    } catch (error) {
      if (isLast || !(error instanceof Failure) || error.reason === 'NOT_FOUND') throw error;
    }
    await sleep(AGAIN_MS);
  }
}

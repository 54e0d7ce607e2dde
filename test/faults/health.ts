import { setTimeout as sleep } from 'node:timers/promises';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import type { Client } from '../support/client.ts';

/** What health says, to tests that make a server ill. */

const SERVING = 1;

/** Whether a service is SERVING; that of ratings unless named, "" is the server's. */
export async function isWritable(client: Client, service = 'accrete.write'): Promise<boolean> {
  return (await client.call(HealthService.check, { service })).status === SERVING;
}

/** Resolves when ratings are taken again. */
export async function untilWritable(client: Client): Promise<void> {
  while (!(await isWritable(client))) await sleep(20);
}

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { LoadResult } from './blast.ts';

/** The load generator where there is no Go: the flags and the output of `blast/main.go`, by gRPC's own client. */

const PREFIX_BYTES = 5;

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:50051' },
    path: { type: 'string', default: '/grpc.health.v1.Health/Check' },
    messages: { type: 'string', default: '' },
    calls: { type: 'string', default: '10000' },
    inflight: { type: 'string', default: '32' },
    token: { type: 'string', default: '' },
    ca: { type: 'string', default: '' },
  },
});
const calls = Number(values.calls);
const messages = split(readFileSync(values.messages));
const channel = values.ca === '' ? credentials.createInsecure() : credentials.createSsl(readFileSync(values.ca));
const client = new Client(values.address, channel);
const metadata = new Metadata();
if (values.token !== '') metadata.set('authorization', `Bearer ${values.token}`);
const latencies: number[] = [];
const ended: Record<string, number> = {};
let bytes = 0;
let sent = 0;

const startMs = performance.now();
await Promise.all(Array.from({ length: Number(values.inflight) }, sendInTurn));
const seconds = (performance.now() - startMs) / 1000;
client.close();

const { user, system } = process.cpuUsage();
latencies.sort((a, b) => a - b);
const quantile = (part: number) => latencies[Math.floor(part * (calls - 1))];
const result: LoadResult = {
  calls,
  seconds,
  cpuSeconds: (user + system) / 1e6,
  bytes,
  status: ended,
  p50Us: quantile(0.5),
  p99Us: quantile(0.99),
};
console.log(JSON.stringify(result));

async function sendInTurn(): Promise<void> {
  while (sent < calls) {
    const message = messages[sent++ % messages.length];
    const sentMs = performance.now();
    const code = await call(message);
    latencies.push((performance.now() - sentMs) * 1000);
    ended[code] = (ended[code] ?? 0) + 1;
  }
}

function call(message: Buffer): Promise<status> {
  const asItIs = (buffer: Buffer) => buffer;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      values.path,
      asItIs,
      asItIs,
      message,
      metadata,
      (error: ServiceError | null, answer?: Buffer) => {
        bytes += answer?.length ?? 0;
        resolve(error ? error.code : status.OK);
      },
    );
  });
}

function split(content: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const end = at + PREFIX_BYTES + content.readUInt32BE(at + 1);
    found.push(content.subarray(at + PREFIX_BYTES, end));
    at = end;
  }
  return found;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../server/server.ts';

const data = mkdtempSync(join(tmpdir(), 'accrete-'));
const server = createServer({ data, listen: '127.0.0.1:0', metrics: { listen: 'off' } });
const { grpc } = await server.start();
await server.ready;
console.log(`gRPC on ${grpc}`);
await server.stop();
rmSync(data, { recursive: true });

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../../clients/cli/server-process.ts';
import { connect } from '../../clients/node/client.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A client of the server that `ACCRETE_ADDRESS` names; where it names none, of a new one with this configuration, whose
 * store lasts until `close`.
 */
export async function open(configuration) {
  if (process.env.ACCRETE_ADDRESS) return connect(process.env.ACCRETE_ADDRESS);
  const data = mkdtempSync(join(tmpdir(), 'accrete-recipe-'));
  const own = ['--listen=127.0.0.1:0', '--metrics.listen=off', `--data=${data}`];
  const server = await ServerProcess.start(ROOT, [`--config=${fileURLToPath(configuration)}`, ...own]);
  const client = connect(server.address);
  const close = async () => {
    client.close();
    await server.stop();
    rmSync(data, { recursive: true });
  };
  return { ...client, close };
}

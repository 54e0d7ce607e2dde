import { connect, createServer, type Server, type Socket } from 'node:net';
import { Client } from './client.ts';
import type { Scope } from './temporary-folder.ts';

/** A connection that a test can lose: a client behind a relay that drops everything at once. */
export class CuttableClient {
  readonly client: Client;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #relay: Server;

  private constructor(relay: Server, sockets: Set<Socket>, scope: Scope) {
    this.#relay = relay;
    this.#sockets = sockets;
    const { port } = relay.address() as { port: number };
    this.client = new Client(`127.0.0.1:${port}`);
    scope.after(() => {
      this.client.close();
      this.cut();
    });
  }

  static async connect(scope: Scope, address: string): Promise<CuttableClient> {
    const sockets = new Set<Socket>();
    const [host, port] = address.split(':');
    const relay = createServer((near) => {
      const far = connect(Number(port), host);
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    return new CuttableClient(relay, sockets, scope);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#relay.close();
  }
}

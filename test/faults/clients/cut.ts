import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Scope } from '../../support/temporary-folder.ts';

/** A way to a server that can be cut: what is connected through it vanishes at once, as a machine that loses its power. */
export class Cut {
  readonly address: string;
  readonly #proxy: Server;
  readonly #sockets: Set<Socket>;

  private constructor(proxy: Server, sockets: Set<Socket>) {
    this.address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    this.#proxy = proxy;
    this.#sockets = sockets;
  }

  static async before(scope: Scope, address: string): Promise<Cut> {
    const sockets = new Set<Socket>();
    const [host, port] = address.split(':');
    const proxy = createServer((near) => {
      const far = connect(Number(port), host);
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    scope.after(() => proxy.close());
    return new Cut(proxy, sockets);
  }

  /** Nobody says goodbye: both sides see a reset connection, and there is no way back. */
  cut(): void {
    this.#proxy.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

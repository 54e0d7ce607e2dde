import { Container } from 'inversify';
import type { Config } from '../config/schema.ts';
import { admission } from '../rpc/admission.ts';
import { byNamespace } from '../rpc/by-namespace.ts';
import { GrpcServer } from '../rpc/grpc-server.ts';
import { ACCESS, bindAccess, CERTIFICATES } from './access.ts';
import { CALL_TELEMETRY, SERVED } from './server.ts';
import { token } from './shared.ts';

export const FRONT = token<GrpcServer>('GrpcServer');

/** What listens, before all namespaces: `units`, that of "" first. */
export function composeFront(
  config: Config,
  units: readonly { readonly namespace: string; readonly container: Container }[],
): Container {
  const { limits, connection, reflection, socketMode, auth } = config;
  const front = new Container({ defaultScope: 'Singleton' });
  bindAccess(front, config);
  front.bind(FRONT).toDynamicValue((context) => {
    const access = context.get(ACCESS);
    const telemetry = units[0].container.get(CALL_TELEMETRY);
    const served = units.map(({ namespace, container }) => [namespace, container.get(SERVED)] as const);
    const services = byNamespace(served.map(([namespace, { services }]) => [namespace, services]));
    return new GrpcServer(
      services,
      served.map(([, { streams }]) => streams),
      {
        messageBytes: limits.messageBytes,
        connection,
        reflection,
        socketMode: Number.parseInt(socketMode, 8),
        credentials: context.get(CERTIFICATES),
        admission:
          access && ((rules) => admission({ access, rules, telemetry, requestTimeoutMs: auth.requestTimeoutMs })),
      },
    );
  });
  return front;
}

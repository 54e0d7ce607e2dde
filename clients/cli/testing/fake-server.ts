import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../../proto/gen/google/rpc/status.ts';

/** A server in this process that answers as a test says. */
export class FakeServer {
  readonly #server = new Server();

  /** Methods that are left out answer UNIMPLEMENTED. */
  add(service: ServiceDefinition, methods: UntypedServiceImplementation): this {
    this.#server.addService(service, methods);
    return this;
  }

  /** Returns its address. */
  async start(): Promise<string> {
    const port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
    });
    return `127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

/** How a server refuses a request for some of its fields. */
export function invalidField(faults: readonly { readonly field: string; readonly description: string }[]) {
  const any = (name: string, value: Uint8Array) => ({
    typeUrl: `type.googleapis.com/google.rpc.${name}`,
    value: Buffer.from(value),
  });
  const bytes = Status.encode(
    Status.fromPartial({
      code: status.INVALID_ARGUMENT,
      message: `${faults[0].field} ${faults[0].description}`,
      details: [
        any('ErrorInfo', ErrorInfo.encode(ErrorInfo.fromPartial({ reason: 'INVALID_FIELD' })).finish()),
        any('BadRequest', BadRequest.encode(BadRequest.fromPartial({ fieldViolations: [...faults] })).finish()),
      ],
    }),
  ).finish();
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code: status.INVALID_ARGUMENT, details: 'a bad field', metadata };
}

import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

/** What gRPC hands to a method: raw bytes in, raw bytes out. */
export type RawUnary = ServerUnaryCall<Buffer, Buffer>;
export type RawClientStream = ServerReadableStream<Buffer, Buffer>;
export type RawServerStream = ServerWritableStream<Buffer, Buffer>;
export type RawDuplex = ServerDuplexStream<Buffer, Buffer>;

/** Aborted when the client goes away or the deadline passes. */
export function signalOf(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  if (call.cancelled) controller.abort();
  else call.on('cancelled', () => controller.abort());
  return controller.signal;
}

interface Cancellable {
  readonly cancelled: boolean;
  on(event: 'cancelled', listener: () => void): unknown;
}

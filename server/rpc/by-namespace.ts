import assert from 'node:assert/strict';
import type { Metadata, UntypedServiceImplementation } from '@grpc/grpc-js';
import { callerOf } from './admission.ts';
import type { ServedService } from './service.ts';

type Handler = UntypedServiceImplementation[string];
type AnyHandler = (call: { readonly metadata: Metadata }, callback?: unknown) => unknown;

/**
 * The services of all namespaces as one: a call goes to its caller's, and reaches nothing of another. Every namespace has the
 * same services in the same order, that of "" first.
 */
export function byNamespace(
  served: readonly (readonly [namespace: string, services: readonly ServedService[]])[],
): readonly ServedService[] {
  const [[, first], ...others] = served;
  if (others.length === 0) return first;
  return first.map((service, n) => {
    const all = new Map(served.map(([namespace, services]) => [namespace, services[n].implementation]));
    const handlers = Object.keys(service.implementation).map((method) => [method, choosing(all, method)]);
    return { ...service, implementation: Object.fromEntries(handlers) };
  });
}

function choosing(all: ReadonlyMap<string, UntypedServiceImplementation>, method: string): Handler {
  const handler: AnyHandler = (call, callback) => {
    const caller = callerOf(call.metadata);
    assert(caller, 'with namespaces everyone is asked who they are');
    const own = all.get(caller.namespace)?.[method];
    assert(own, `credentials name namespaces that there are, and not ${caller.namespace}`);
    return (own as unknown as AnyHandler)(call, callback);
  };
  return handler as unknown as Handler;
}

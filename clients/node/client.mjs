import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** All calls of a server by their names. A stream of answers is iterated; other calls give a promise. */

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));
const FILES = ['recommender', 'catalog', 'user', 'model'];
const OPTIONS = { includeDirs: [PROTO, `${PROTO}/third_party`], defaults: true, enums: String, longs: Number };

export function connect(address = '127.0.0.1:50051') {
  const definition = loadSync(
    FILES.map((name) => `accrete/v1/${name}.proto`),
    OPTIONS,
  );
  const services = Object.values(loadPackageDefinition(definition).accrete.v1).filter(({ service }) => service);
  const clients = services.map((Service) => new Service(address, credentials.createInsecure()));
  const calls = clients.flatMap((client, n) =>
    Object.values(services[n].service).map(({ originalName: name, responseStream }) => {
      const call = client[name].bind(client);
      return [name, responseStream ? call : promisify(call)];
    }),
  );
  const close = () => {
    for (const client of clients) client.close();
  };
  return { ...Object.fromEntries(calls), close };
}

/** A time for the wire. */
export function timestamp(ms) {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

/** Attributes for the wire: texts, numbers and truth values. */
export function struct(attributes) {
  const kinds = { string: 'stringValue', number: 'numberValue', boolean: 'boolValue' };
  const fields = Object.entries(attributes).map(([name, value]) => [name, { [kinds[typeof value]]: value }]);
  return { fields: Object.fromEntries(fields) };
}

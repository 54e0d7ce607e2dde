import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/**
 * gRPC reflection, v1 and v1alpha, from the descriptors that buf makes: those of the generated code lack imports. What answers
 * is loaded when somebody asks for the first time: most servers are never asked, and it takes megabytes.
 */
export function addReflection(server: Pick<Server, 'addService'>): void {
  let loaded: ReadonlyMap<string, Service> | undefined;
  for (const path of PATHS) {
    const load = () => {
      loaded ??= loadServices();
      return loaded.get(path) as Service;
    };
    server.addService(
      {
        [METHOD]: {
          path,
          requestStream: true,
          responseStream: true,
          requestSerialize: (message: unknown) => load().definition.requestSerialize(message),
          requestDeserialize: (bytes: Buffer) => load().definition.requestDeserialize(bytes),
          responseSerialize: (message: unknown) => load().definition.responseSerialize(message),
          responseDeserialize: (bytes: Buffer) => load().definition.responseDeserialize(bytes),
        },
      },
      { [METHOD]: (call: unknown) => (load().handler as (call: unknown) => void)(call) },
    );
  }
}

const METHOD = 'ServerReflectionInfo';
const PATHS = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${METHOD}`);

interface Service {
  readonly definition: ServiceDefinition[string];
  readonly handler: UntypedServiceImplementation[string];
}

/** What the library would add to a server, by path. */
function loadServices(): ReadonlyMap<string, Service> {
  const { ReflectionService } = createRequire(import.meta.url)('@grpc/reflection') as typeof import('@grpc/reflection');
  const descriptors = readFileSync(new URL('../../proto/gen/descriptors.binpb', import.meta.url));
  const fileDescriptorProtos = splitDescriptorSet(descriptors);
  const services = new Map<string, Service>();
  const server: Pick<Server, 'addService'> = {
    addService: (definitions, implementation) => {
      for (const [name, definition] of Object.entries(definitions)) {
        const handler = implementation[name] ?? implementation[definition.originalName ?? name];
        services.set(definition.path, { definition, handler });
      }
    },
  };
  new ReflectionService({
    all: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  }).addToServer(server);
  return services;
}

/** The files of a google.protobuf.FileDescriptorSet: `repeated FileDescriptorProto file = 1`. */
function splitDescriptorSet(bytes: Uint8Array): Buffer[] {
  const files: Buffer[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) files.push(Buffer.from(reader.bytes()));
    else reader.skip(wireType, field);
  }
  return files;
}

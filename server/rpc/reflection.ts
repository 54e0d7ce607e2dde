import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** gRPC reflection, v1 and v1alpha, from the descriptors that buf makes: those of the generated code lack imports. */
export function addReflection(server: Pick<Server, 'addService'>): void {
  const descriptors = readFileSync(new URL('../../proto/gen/descriptors.binpb', import.meta.url));
  const fileDescriptorProtos = splitDescriptorSet(descriptors);
  new ReflectionService({
    all: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  }).addToServer(server);
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

import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Client } from './client.ts';

/** What a server says of itself by gRPC reflection: the methods of every service. */
export async function servicesOf(client: Client): Promise<Map<string, string[]>> {
  const stream = client.open<Buffer, Buffer>({
    path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    requestSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
  });
  const ask = async (field: number, text: string) => {
    stream.send(Buffer.from(new BinaryWriter().tag(field, 2).string(text).finish()));
    return (await stream.next()) as Buffer;
  };
  const services = new Map<string, string[]>();
  // ServerReflectionRequest: list_services = 7, file_containing_symbol = 4; the response: 6 and 4.
  for (const bytes of fields(await ask(7, ''), [6, 1, 1])) {
    const name = bytes.toString();
    const [packageName, own] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    for (const file of fields(await ask(4, name), [4, 1])) {
      // FileDescriptorProto: package = 2, service = 6 of name = 1 and method = 2 of name = 1.
      if (fields(file, [2])[0]?.toString() !== packageName) continue;
      for (const service of fields(file, [6]))
        if (fields(service, [1])[0]?.toString() === own) services.set(name, fields(service, [2, 1]).map(String));
    }
  }
  stream.call.cancel();
  return services;
}

/** The bytes at a path of fields, each of which may be repeated. */
function fields(bytes: Uint8Array, [first, ...rest]: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === first && type === 2) found.push(Buffer.from(reader.bytes()));
    else reader.skip(type, field);
  }
  return rest.length === 0 ? found : found.flatMap((each) => fields(each, rest));
}

import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A generated message type, as far as it encodes. */
export interface Encodable<Message> {
  encode(message: Message, writer?: BinaryWriter): BinaryWriter;
}

/** One for all answers of the thread: it keeps its buffer, and growing a new one costs more than the writing. */
let writer = new BinaryWriter();

/** A message as it goes over the wire. */
export function encodeMessage<Message>(type: Encodable<Message>, message: Message): Buffer {
  try {
    const bytes = type.encode(message, writer).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    writer = new BinaryWriter(); // the old one holds a part of the message
    throw error;
  }
}

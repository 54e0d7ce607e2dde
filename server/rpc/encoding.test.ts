import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListRatingsRequest } from '../../proto/gen/accrete/v1/user.ts';
import { encodeMessage } from './encoding.ts';

const message = (userId: string) => ListRatingsRequest.fromPartial({ userId, pageSize: 3 });

test('messages are encoded as the generated code alone would, and keep their bytes', () => {
  const ids = ['ada', '', 'b'.repeat(5000), 'é'];
  const encoded = ids.map((id) => encodeMessage(ListRatingsRequest, message(id)));
  assert.deepEqual(
    encoded.map((bytes) => ListRatingsRequest.decode(bytes)),
    ids.map(message),
  );
});

test('a message that cannot be encoded leaves nothing behind for the next one', () => {
  const broken = { ...message('ada'), pageSize: 2 ** 40 };
  assert.throws(() => encodeMessage(ListRatingsRequest, broken));
  assert.deepEqual(ListRatingsRequest.decode(encodeMessage(ListRatingsRequest, message('bob'))), message('bob'));
});

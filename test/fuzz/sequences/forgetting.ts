import assert from 'node:assert/strict';
import { searchFiles } from '../../support/byte-search.ts';
import type { Reference } from './reference.ts';
import type { System } from './system.ts';
import { USERS, valuesOf } from './users.ts';

/** Forgets a user: the answer says whether there was anything, and afterwards no file of the store has id or values. */
export async function forget(user: string, reference: Reference, { client, data }: System): Promise<void> {
  const isKnown = reference.users.has(user);
  const { removals } = await client.forgetUser(user);
  if (isKnown) assert.ok(removals.length > 0, `nothing was removed of ${user}`);
  if (removals.length > 0) {
    reference.forget(user);
    reference.isUnsaved = false; // it makes a checkpoint
  }
  // As f64 alone: among so many models some f32 comes to the same by chance.
  const values = (USERS.includes(user) ? valuesOf(user) : []).map((value) =>
    Buffer.from(new Float64Array([value]).buffer),
  );
  assert.deepEqual(searchFiles(data, [user, ...values]), [], `what is left of ${user}`);
}

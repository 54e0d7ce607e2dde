import assert from 'node:assert/strict';
import { rating } from '../../support/ratings.ts';
import { failureOf } from '../../support/status.ts';
import type { Reference } from './reference.ts';
import { REFITTED, type System, stateOf } from './system.ts';

/** New versions of a model, and earlier ones that come back. */

/** A crowd gives as many first ratings as a guard needs: of users whom nobody has seen, by the same items each time. */
const CROWD = 60;
const CROWD_ITEMS = 20;

/** A crowd comes, and the model is fitted anew. */
export async function refit(reference: Reference, system: System): Promise<void> {
  await meetCrowd(reference, system);
  const version = String(Math.max(...reference.versions.map(Number)) + 1);
  await othersStay(system, async () => {
    const { result } = await system.client.fuse({ model: REFITTED, guard: { margin: 1 } });
    assert.deepEqual([result.promoted, result.version], [true, version], result.decision?.reason);
    assert.equal(result.previousVersion, reference.versions.at(-1));
  });
  reference.promote(version);
}

/** `choice`: 0 draws the version that served before, 1 to 3 one by its name, and 4 one that there never was. */
export async function rollBack(choice: number, reference: Reference, system: System): Promise<void> {
  const earlier = reference.versions.slice(0, -1);
  const named = choice < 4 ? earlier[(choice - 1) % earlier.length] : undefined;
  const [wanted, version] = choice === 0 ? ['', earlier.at(-1)] : [named ?? '99', named];
  const call = () => system.client.rollbackModel(REFITTED, wanted);
  if (version === undefined) {
    assert.equal((await failureOf(call())).reason, 'VERSION_NOT_FOUND');
    return;
  }
  await othersStay(system, async () => {
    const { previousVersion, model } = await call();
    assert.deepEqual([previousVersion, model?.version], [reference.versions.at(-1), version]);
  });
  reference.promote(version);
}

async function meetCrowd(reference: Reference, { client }: System): Promise<void> {
  const [count, time] = [reference.crowd.length, reference.tick()];
  for (let n = 0; n < CROWD; n++) {
    const user = `crowd-${count + n}-of-the-sequences`;
    const ratings = Array.from({ length: CROWD_ITEMS }, (_, k) => ({
      user,
      item: `crowded-${k}`,
      value: 1 + ((n * 7 + k * 3 + ((n * k) % 5)) % 5),
      time,
    }));
    reference.rate(ratings);
    reference.crowd.push(user);
    const eventTime = { seconds: BigInt(time), nanos: 0 };
    await client.rate(ratings.map(({ user, item, value }) => rating(user, item, value, { eventTime })));
  }
}

/** A change of one model changes no byte of the others, nor of what they share. */
async function othersStay(system: System, step: () => Promise<void>): Promise<void> {
  const hashes = async () =>
    (await stateOf(system)).flatMap(({ model, hashes }) => (model?.name === REFITTED ? [] : [[model?.name, hashes]]));
  const before = await hashes();
  await step();
  assert.deepEqual(await hashes(), before, 'the other models');
}

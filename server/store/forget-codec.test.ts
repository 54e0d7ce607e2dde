import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeExposures, type Exposure, encodeExposures, NO_ITEM } from './exposure-codec.ts';
import { Places } from './forget/places.ts';
import { withoutUsers } from './forget-codec.ts';
import { decodeRecord, encodeRecord } from './record.ts';

const GONE = 7n;
const NAMELESS = 70n;
const OTHER = 8n;
const exposure = (user: bigint, unit: bigint): Exposure => ({
  ...{ sequence: 1, atMs: 2, experiment: 3, arm: 1, unit, user, row: 5 },
  ...{ items: Uint32Array.of(1, 2), propensities: undefined, teams: undefined },
});

test('neither as a user nor as a unit anybody who is forgotten stays in exposures; others keep what they were shown', () => {
  const asked = [
    [GONE, GONE],
    [GONE, OTHER],
    [0n, GONE],
    [OTHER, GONE],
    [OTHER, OTHER],
  ] as const;
  const exposures = asked.map(([user, unit]) => exposure(user, unit));
  const payload = encodeExposures({ run: 1, lost: new Map(), exposures });
  const record = encodeRecord({ type: 'exposures', receivedAtMs: 1, namespace: '', payload });
  const nameless = (key: bigint) => (key === GONE ? NAMELESS : undefined);
  const left = withoutUsers(() => false, 1, record, new Places(), nameless);
  assert.deepEqual(
    decodeExposures(decodeRecord(left, 1).payload).exposures.map(({ user, unit, row, items }) => [
      user,
      unit,
      row === NO_ITEM,
      Array.from(items).every((item) => item === NO_ITEM),
    ]),
    [
      [NAMELESS, NAMELESS, true, true],
      [NAMELESS, OTHER, true, true],
      [0n, NAMELESS, true, true],
      [OTHER, NAMELESS, false, false],
      [OTHER, OTHER, false, false],
    ],
  );
});

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Life } from './life.ts';
import { PHASES } from './phases.ts';

/** Rounds of crashes; each says its seed and what it hit. A run that never hit a phase at which it aims fails. */

/** Of the first round; the environment variable repeats a run. */
const SEED = Number(process.env.FAULTS_SEED || 1);
/** Rounds on one store, which grows with them. */
const ROUNDS_OF_A_LIFE = 10;
/** Rounds that may be added to hit what was missed. */
const MORE_ROUNDS = 10;

export async function crashRounds(t: TestContext, rounds: number, phases = PHASES): Promise<void> {
  const hits = new Map(phases.map(({ name }) => [name, 0]));
  const tries = new Map(hits);
  const isMissing = () => [...hits.values()].includes(0);
  let life: Life | undefined;
  let age = 0;
  for (let n = 0; n < rounds || (isMissing() && n < rounds + MORE_ROUNDS); n++) {
    const seed = SEED + n;
    // In turn; what was missed by then is aimed at again.
    const counts = n < rounds ? tries : hits;
    const phase = phases.toSorted((one, other) => (counts.get(one.name) ?? 0) - (counts.get(other.name) ?? 0))[0];
    tries.set(phase.name, (tries.get(phase.name) ?? 0) + 1);
    try {
      life ??= await Life.begin(t, seed);
      const { hit, text } = await life.round(phase, seed);
      for (const name of hit) if (hits.has(name)) hits.set(name, (hits.get(name) ?? 0) + 1);
      t.diagnostic(`round ${n + 1}, seed ${seed}: ${text}`);
      if (++age < ROUNDS_OF_A_LIFE && !life.isOver) continue;
      await life.end();
      life = undefined;
      age = 0;
    } catch (error) {
      t.diagnostic(`round ${n + 1} failed; FAULTS_SEED=${SEED} repeats the run, this was seed ${seed}`);
      throw error;
    }
  }
  await life?.end();
  t.diagnostic(`hits: ${[...hits].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  for (const [name, count] of hits) assert(count > 0, `no round hit the phase "${name}"`);
}

import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { DECODERS } from './decoders/decoders.ts';
import { fuzzDecoder, fuzzLinks } from './decoders/run.ts';

/** Everything that reads stored bytes, for a moment; `npm run test:fuzz` does it for longer. */

const timeout = 60_000;

for (const name of Object.keys(DECODERS)) test(name, { timeout }, (t) => fuzzDecoder(name, budgetOf(t, 150, false)));
test('links of the journal', { timeout }, (t) => fuzzLinks(t, budgetOf(t, 40, false)));

// Rates an item and is recommended others. Usage: node quickstart.ts [VALUE]

import { AccreteError, connect } from 'accrete-client';

const value = Number(process.argv[2] ?? 5);
const client = connect();
try {
  const { revision } = await client.rate([{ userId: 'nora', itemId: 'solaris', value }]);
  const subject = { $case: 'userId', value: 'nora' } as const;
  const { model, items } = await client.recommender.recommend(
    { subject, minRevision: revision },
    { timeoutMs: 10_000 },
  );
  console.log('model', model);
  for (const { itemId, score } of items) console.log(itemId, score);
} catch (error) {
  if (!(error instanceof AccreteError)) throw error;
  console.error(error.code, error.message);
  process.exitCode = 1;
} finally {
  client.close();
}

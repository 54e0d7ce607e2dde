import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelChange } from '../../proto/gen/accrete/v1/history.ts';
import type { Client } from './client.ts';

/** What was done with a model and what was tried, the latest first. */
export async function historyOf(client: Client, name: string): Promise<ModelChange[]> {
  return (await client.getModel(name)).model?.history ?? [];
}

/** Waits until so much was done with a model. */
export async function historyGrows(client: Client, name: string, count: number): Promise<void> {
  while ((await historyOf(client, name)).length < count) await sleep(50);
}

/** The last word of a value's name: PROMOTED of MODEL_CHANGE_OUTCOME_PROMOTED. */
export function wordOf(values: Readonly<Record<string, number>>, value: number): string | undefined {
  return Object.keys(values)
    .find((name) => values[name] === value)
    ?.replace(/^.*_/, '');
}

import { benchAppends } from './appends.ts';
import { benchAppendsBeside } from './appends-beside.ts';
import { benchChecks } from './checks.ts';
import { benchPauses } from './pauses.ts';
import type { Report } from './report.ts';
import { benchRestarts } from './restarts.ts';
import { benchStretches } from './stretches.ts';

/** What durability costs: appends, checkpoints, starts. */
export async function benchDurability(report: Report): Promise<void> {
  await benchAppends(report);
  await benchAppendsBeside(report);
  await benchStretches(report);
  await benchPauses(report);
  await benchRestarts(report);
  await benchChecks(report);
}

import { joinSources } from '../../server/jobs/fuse/make-candidate.ts';
import { SourceMemory } from '../../server/jobs/fuse/source-memory.ts';
import type { Member } from '../../server/jobs/fuse/strategies/members.ts';
import { STRATEGIES } from '../../server/jobs/fuse/strategies/strategies.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { type Blocks, emptyBlock, fusionOf, readBlocks } from '../../server/models/fusion.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { Lab } from './lab.ts';
import { few, type Law, type Subject } from './law.ts';
import { mixedStream } from './streams.ts';

const SIZE = { users: 12, items: 10, events: 200 };
const OPTIONS = { seed: 0, rank: 0, force: true };
/** Of what is said: sums come in another order. */
const NEAR = 1e-3;

const means = {
  meter: new Meter(() => {}),
  device: new LocalDevice(2 ** 28, new DeviceMeter()),
  memory: new SourceMemory(1024),
};

/** Models that are made of several. */
export const fusingLaws: readonly Law[] = [
  {
    name: 'a model that is averaged with itself says what it said',
    exempts: exempt('AVERAGE'),
    violations: (subject) => compared(subject, 'AVERAGE', false, (blocks) => blocks),
  },
  {
    name: 'a model to whose counts nothing is added says what it said',
    exempts: exempt('COUNTS'),
    violations: (subject) => compared(subject, 'COUNTS', true, emptied),
  },
];

function exempt(strategy: keyof typeof STRATEGIES) {
  return ({ plugin, config }: Subject) => STRATEGIES[strategy].obstacle(plugin, config);
}

function emptied(blocks: Blocks): Blocks {
  return new Map([...blocks].map(([name, { type, rows, width }]) => [name, emptyBlock(type, rows, width)]));
}

async function compared(
  { plugin, config }: Subject,
  strategy: 'AVERAGE' | 'COUNTS',
  isForeign: boolean,
  change: (blocks: Blocks) => Blocks,
): Promise<string[]> {
  const lab = new Lab(plugin, config).teachAll(mixedStream(1, SIZE));
  const fusion = fusionOf(plugin, config);
  if (typeof fusion === 'string') return [fusion];
  const before = said(lab);
  const blocks = change(readBlocks(lab.model, fusion.columns));
  await fuse(lab, blocks, strategy, isForeign);
  const after = said(lab);
  const off = after.flatMap((value, n) => {
    const near = NEAR * Math.max(1, Math.abs(before[n]));
    return Math.abs(value - before[n]) <= near || Object.is(value, before[n])
      ? []
      : [`it says ${value}, not ${before[n]}`];
  });
  return few(off);
}

/** Makes one model of that of a lab, and of blocks with the same rows. */
export async function fuse(lab: Lab, blocks: Blocks, strategy: 'AVERAGE' | 'COUNTS', isForeign = true): Promise<void> {
  const source: Member = { name: 'source', field: 'sources[0]', isForeign, blocks };
  await joinSources(lab.model, () => [source], STRATEGIES[strategy], OPTIONS, means);
}

/** Predictions and scores of all users and items. */
function said(lab: Lab): number[] {
  const { users, items } = lab.world;
  const found: number[] = [];
  for (let user = 0; user < users.rows; user++) {
    found.push(...lab.score(user, [0, items.rows]));
    for (let item = 0; item < items.rows; item++)
      found.push(lab.model.scorer.predict?.({ user, time: 1e9 }, item) ?? Number.NaN);
  }
  for (let item = 0; item < items.rows; item++) found.push(...lab.similar(item, [0, items.rows]));
  return found;
}

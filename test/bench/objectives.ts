import { loadPlugin } from '../../server/models/plugins.ts';
import { find100k, type Ratings } from '../data.ts';
import { streamFigures } from '../evaluation/stream-figures.ts';
import type { Report } from './report.ts';

/**
 * What the objectives of `mf` rank, and cost: each event of ml-100k, whatever its value, is ranked among all items that its user
 * did not have, and then learned. In process; beside them `popularity`, and `mf` as shipped, which knows in which order things
 * were done.
 */

interface Subject {
  readonly name: string;
  readonly plugin: string;
  readonly config: object;
}

const OBJECTIVES = ['logistic', 'bpr', 'warp'];
/** Whether items that are drawn learn; unless set `warp` is local, the others full. */
const SCOPES = ['full', 'local'];

const SUBJECTS: readonly Subject[] = [
  { name: 'popularity', plugin: 'popularity', config: { halfLifeDays: null } },
  { name: 'mf', plugin: 'mf', config: {} },
  ...OBJECTIVES.flatMap((objective) =>
    SCOPES.map((scope) => ({
      name: `mf, ${objective}, ${scope}`,
      plugin: 'mf',
      config: { objective, feedback: { scope } },
    })),
  ),
];

export async function benchObjectives(report: Report): Promise<void> {
  report.heading('Objectives of mf on ml-100k: each event ranked, then learned');
  const { skip, ratings } = find100k();
  if (!ratings) return report.note(String(skip));
  for (const subject of SUBJECTS) await measure(report, subject, ratings);
}

async function measure(report: Report, { name, plugin: specifier, config }: Subject, ratings: Ratings): Promise<void> {
  const plugin = await loadPlugin(specifier);
  const parsed = plugin.config.parse(config);
  const scale = { min: 1, max: 5 };
  const part = 'objectives';
  const { ranked } = await streamFigures(plugin, parsed, ratings, { scale, ranking: 'events' });
  const figures = ranked.get('score');
  report.add({ part, name: `${name}: hit rate at 10`, value: figures?.hitRate ?? Number.NaN, unit: '' });
  report.add({ part, name: `${name}: NDCG at 10`, value: figures?.ndcg ?? Number.NaN, unit: '' });
  const { cpu, events } = await streamFigures(plugin, parsed, ratings, { scale, ranking: 'none' });
  const unit = 'events/s';
  report.add({ part, name: `${name}: learned, by CPU time, host included`, value: (1e6 * events) / cpu, unit });
}

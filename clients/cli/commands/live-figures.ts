import type { Model } from '../../../proto/gen/accrete/v1/model.ts';
import type { Connection } from '../connection.ts';
import { listModels } from '../model-list.ts';
import { formatCount, formatFigure } from '../output.ts';
import type { Curves } from '../tensorboard/curves.ts';
import type { Sight } from '../watch.ts';

/** Shown in this order, if a model has them; others follow. */
const METRICS = ['rmse', 'mae', 'hit_rate@10', 'ndcg@10'];
const WINDOW = 'window';

interface Wanted {
  readonly models?: readonly string[];
  readonly metrics?: readonly string[];
}

/**
 * Looks at the live error of models over their sliding window, and at how fast they learn since the look before. `curves` take
 * what is seen.
 */
export function liveSight(connection: Connection, wanted: Wanted, curves?: Curves): () => Promise<Sight> {
  let before: { readonly atMs: number; readonly learned: ReadonlyMap<string, bigint> } | undefined;
  return async () => {
    const all = await listModels(connection);
    const models = all.filter(({ name }) => !wanted.models || wanted.models.includes(name));
    const atMs = performance.now();
    const figures = models.map((model) => {
      const seconds = before ? (atMs - before.atMs) / 1000 : 0;
      const learnedBefore = before?.learned.get(model.name);
      const more = learnedBefore === undefined ? 0 : Number(model.learnedCount - learnedBefore);
      return figuresOf(model, seconds > 0 ? Math.round(more / seconds) : 0, wanted.metrics);
    });
    before = { atMs, learned: new Map(models.map(({ name, learnedCount }) => [name, learnedCount])) };
    for (const { model, learned, metrics } of figures) curves?.add(model, learned, named('live', metrics));
    return sightOf(figures);
  };
}

interface Figures {
  readonly model: string;
  readonly learned: number;
  readonly ratingsPerSecond: number;
  readonly revision: string;
  /** Over the sliding window. */
  readonly metrics: Readonly<Record<string, number>>;
}

function figuresOf(model: Model, ratingsPerSecond: number, wanted?: readonly string[]): Figures {
  const rows = model.metrics.filter(({ metric, window, segment }) => {
    return window === WINDOW && segment === '' && (!wanted || wanted.includes(metric));
  });
  const metrics = Object.fromEntries(rows.map(({ metric, value }) => [metric, value]));
  const { name, learnedCount, revision } = model;
  return { model: name, learned: Number(learnedCount), ratingsPerSecond, revision, metrics };
}

/** With a name before theirs. */
function named(prefix: string, metrics: Figures['metrics']): Figures['metrics'] {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]));
}

function sightOf(models: readonly Figures[]): Sight {
  const time = new Date().toISOString();
  const found = new Set(models.flatMap(({ metrics }) => Object.keys(metrics)));
  const names = [...METRICS.filter((name) => found.has(name)), ...[...found].filter((name) => !METRICS.includes(name))];
  return {
    document: { time, models },
    heading: `${time}  live figures over the latest ratings`,
    table: {
      columns: [
        { name: 'model' },
        ...[...names, 'learned', 'ratings/s'].map((name) => ({ name, align: 'right' as const })),
        { name: 'revision' },
      ],
      rows: models.map(({ model, metrics, learned, ratingsPerSecond, revision }) => [
        model,
        ...names.map((name) => formatFigure(metrics[name])),
        formatCount(learned),
        formatCount(ratingsPerSecond),
        revision,
      ]),
    },
  };
}

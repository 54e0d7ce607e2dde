import { find100k, type Ratings } from '../data.ts';
import { rateAndMeasure } from './prequential.ts';
import type { Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/** The same ratings on other scales are learned the same: errors differ by the scales' widths alone. */

const SCALES = [
  { min: 1, max: 5 },
  { min: 0, max: 1 },
  { min: 0, max: 10 },
  { min: -10, max: 10 },
] as const;
const TOLERANCE = 1e-6;

type Scale = (typeof SCALES)[number];

export async function benchScales(report: Report): Promise<void> {
  report.heading('Scales: the ml-100k stream mapped to each');
  const { skip, ratings } = find100k();
  if (!ratings) return report.note(String(skip));
  const [reference] = SCALES;
  let expected = Number.NaN;
  for (const rating of SCALES) {
    const models = [{ name: 'mf', plugin: 'mf' }];
    await withServer({ models, rating, evaluation: { rankEvery: 0 } }, async (server) => {
      const { counted } = await rateAndMeasure(server.client, rescale(ratings, reference, rating), ['mf']);
      const configHash = await requireConfigHash(server, 'mf');
      const { rmse } = counted.get('mf') ?? { rmse: Number.NaN };
      const mapped = (rmse * (reference.max - reference.min)) / (rating.max - rating.min);
      if (rating === reference) expected = mapped;
      const scale = `${rating.min}..${rating.max}`;
      report.add({ part: 'scales', name: `mf rmse on ${scale}`, value: rmse, unit: '', configHash });
      if (rating === reference) return;
      const value = Math.abs(mapped / expected - 1);
      const name = `  as a part of the scale, differs from ${reference.min}..${reference.max} by`;
      report.add({ part: `scales ${scale}`, name, value, unit: '', target: { atMost: TOLERANCE }, configHash });
    });
  }
}

function rescale(ratings: Ratings, from: Scale, to: Scale): Ratings {
  const factor = (to.max - to.min) / (from.max - from.min);
  return { ...ratings, value: ratings.value.map((value) => to.min + (value - from.min) * factor) };
}

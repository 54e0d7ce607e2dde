import type { Contribution, ScoreContext, Scorer } from '../contract/index.ts';
import type { StackConfig } from './config.ts';
import { clip, Evidence, MIDDLE } from './evidence.ts';
import type { StackKernels } from './kernels.ts';
import { median } from './median.ts';
import { Rankings } from './rankings.ts';
import type { StackTables } from './tables.ts';

type Context = ScoreContext<StackConfig, StackTables, StackKernels>;

export function scorer(context: Context): Scorer {
  const { config, tables, memory } = context;
  const evidence = new Evidence(context);
  const rankings = new Rankings(context, 1);
  const events = tables.model.column('events')(0) >>> 3;
  const weights = tables.model.column('weights')(0) >>> 3;
  const corrections = tables.model.column('median')(0) >>> 3;

  return {
    predict(query, item) {
      evidence.gather(query, item);
      const { x, base } = evidence;
      if (memory.f64[events] === 0) return clip(MIDDLE + base);
      let expected = MIDDLE;
      for (let n = 0; n < x.length; n++) expected += memory.f64[weights + n] * x[n];
      return clip(config.rating.output === 'mean' ? expected : median(clip(expected), memory.f64, corrections));
    },

    score(query, spans, spanCount, out) {
      rankings.blend(query, spans, spanCount, out);
    },

    explain(query, item) {
      rankings.measure(query, [item]);
      const bucket = rankings.bucket(query);
      const shares = new Map<string, number>();
      for (let h = 0; h < rankings.count; h++) {
        const label = rankings.label(h);
        shares.set(label, (shares.get(label) ?? 0) + rankings.weight(h, bucket) * rankings.z(h, 0));
      }
      return [...shares]
        .map(([term, value]): Contribution => ({ term, value }))
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },
  };
}

import { z } from 'zod';

/** When the server fuses a model by itself, and how: as `Fuse` and `accrete fuse` say it. */

export const EVERY_EVENTS = { min: 1000, max: 1_000_000_000 };
export const EVERY_SECONDS = { min: 1, max: 31_536_000 };
const SOURCES_MAX = 16;
const SOURCE_LENGTH_MAX = 200;

const STRATEGIES = ['refit', 'average', 'procrustes', 'concat', 'counts', 'blend'] as const;

export const fusionPeriod = z
  .strictObject({
    everyEvents: z.int().min(EVERY_EVENTS.min).max(EVERY_EVENTS.max).optional().meta({
      unit: 'ratings and events that it has learned',
      description: 'After how many it is fused; left out: never for their number.',
    }),
    everySeconds: z.int().min(EVERY_SECONDS.min).max(EVERY_SECONDS.max).optional().meta({
      unit: 's',
      description: 'After how long it is fused, if it has learned anything since; left out: never for the time.',
    }),
    strategy: z.enum(STRATEGIES).default('refit').meta({ description: 'How the new version is made.' }),
    sources: z.array(z.string().min(1).max(SOURCE_LENGTH_MAX)).max(SOURCES_MAX).default([]).meta({
      form: 'a list of at most 16 names of models, `version:N` or `file:NAME`',
      description: 'What goes into it besides the model itself; `refit` takes none.',
    }),
    margin: z.number().min(0).max(1).optional().meta({
      description: 'What the guard tolerates, as a share of the loss of the version that serves; .005 unless set.',
    }),
    metric: z.string().max(64).optional().meta({
      form: 'the name of a metric, such as `rmse`',
      description: 'Whose loss counts; `rmse` unless set.',
    }),
    windowEvents: z.int().min(1000).max(100_000).optional().meta({
      unit: 'ratings',
      description: 'The latest ones that the guard judges by; a tenth of all, within these bounds, unless set.',
    }),
    rank: z.int().min(1).max(1024).optional().meta({ unit: 'factors', description: '`concat`: how many are kept.' }),
    force: z.boolean().optional().meta({ description: '`average`: also models of different bases.' }),
    seed: z.int().min(0).max(0xffff_ffff).optional().meta({ description: 'Of every draw of the work.' }),
  })
  .refine(({ everyEvents, everySeconds }) => everyEvents !== undefined || everySeconds !== undefined, {
    error: 'it takes `everyEvents`, `everySeconds` or both',
  })
  .refine(({ strategy, sources }) => (strategy === 'refit') === (sources.length === 0), {
    error: 'it takes `sources` for every strategy but `refit`, which takes none',
  })
  .meta({
    form: 'a mapping with `everyEvents`, `everySeconds` or both and, if wanted, `strategy`, `sources`, `margin`, `metric`, `windowEvents`, `rank`, `force` and `seed`',
    description:
      'When the server makes a new version of the model by itself, and how; [evaluation.md](evaluation.md) says more.',
  });

export type FusionPeriod = z.output<typeof fusionPeriod>;

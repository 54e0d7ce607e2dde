import { z } from 'zod';
import { auth, errorDetail, socketMode, tls } from './access-keys.ts';
import { fusionPeriod } from './fusion-period.ts';
import { LISTEN_FORM, parseListen } from './listen.ts';
import { namespaces } from './namespaces.ts';
import { peers } from './peers.ts';

/*
 * Every key of the configuration: its type, range, default and meaning. Two more properties are for people, in messages
 * and in the reference: `unit`, and `form`, which says in words what a text or a list must look like.
 */

const NAME = /^[a-z][a-z0-9_.-]{0,62}$/;
const NAME_FORM = 'a lower-case letter, then at most 62 of `a-z`, `0-9`, `_`, `.` and `-`';
const KINDS_MAX = 64;
const TEXT_LENGTH_MAX = 1024;
const MIB = 2 ** 20;
const DAY_MS = 86_400_000;

const listen = z
  .string()
  .refine((text) => parseListen(text) !== undefined, { error: `it takes ${LISTEN_FORM}` })
  .default('127.0.0.1:50051')
  .meta({ form: LISTEN_FORM, description: 'Where the gRPC server listens.' });

const data = z.string().min(1).max(TEXT_LENGTH_MAX).default('./data').meta({
  form: 'a path',
  description: 'The directory of the store, made if it is missing; relative to the working directory.',
});

const model = z
  .strictObject({
    name: z.string().regex(NAME).meta({
      form: NAME_FORM,
      description: 'What requests call the model. No two models share a name.',
    }),
    plugin: z.string().min(1).max(TEXT_LENGTH_MAX).meta({
      form: 'a name, a path or a package',
      description: 'The algorithm: a bare name (`mf` means `plugins/mf`), a path or a package.',
    }),
    config: z.record(z.string(), z.unknown()).default({}).meta({
      form: 'a mapping of settings',
      description: "The plugin's own settings.",
    }),
    fuse: fusionPeriod.optional(),
  })
  .meta({ form: 'a mapping with `name`, `plugin` and, if wanted, `config` and `fuse`' });

/** Models of a server: every one of them learns every rating. */
export const MODELS_MAX = 64;

const models = z
  .array(model)
  .min(1)
  .max(MODELS_MAX)
  .default([
    { name: 'stack', plugin: 'stack', config: {} },
    { name: 'mf', plugin: 'mf', config: {} },
    { name: 'item-cf', plugin: 'item-cf', config: {} },
    { name: 'biases', plugin: 'mf', config: { base: 'biases', k: 0, ranking: 'taste', replay: { count: 0 } } },
    { name: 'popularity', plugin: 'popularity', config: {} },
  ])
  .meta({
    form: 'a list of 1 to 64 models, each with `name`, `plugin` and, if wanted, `config` and `fuse`',
    description:
      'The models that learn and answer. An environment variable or a flag takes plugins with commas between ' +
      'them (`mf,popularity`, `./own/plugin.ts`: a path is called as its folder), or the list as JSON.',
  });

const defaultModel = z.string().regex(NAME).optional().meta({
  form: 'the name of one of `models`',
  description: 'The model that answers when a request names none; the first of `models` unless set.',
});

const kind = z
  .strictObject({
    weight: z.number().min(0).max(10).default(1).meta({
      description: 'Multiplies the weight of its events, for the models that learn from events.',
    }),
    hides: z.boolean().default(false).meta({
      description:
        'Whether items with which a user has such an event are left out of their recommendations, as rated ones are.',
    }),
    exposure: z
      .boolean()
      .default(false)
      .meta({
        description:
          'Whether such an event says no more than that the user was shown the item. Models that learn probabilities take it ' +
          'that nothing came of it until another event says so.',
      }),
    answers: z
      .boolean()
      .optional()
      .meta({
        description:
          'Whether the server reports such events itself: one for each item that a model that explores shows a user in the answer ' +
          'of `Recommend`. Of one kind at most, which is an exposure; clients then do not report what they showed.',
      }),
  })
  .meta({ form: 'a mapping with, if wanted, `weight`, `hides`, `exposure` and `answers`' });

const kinds = z
  .record(z.string().regex(NAME).meta({ form: NAME_FORM }), kind)
  .refine((given) => Object.keys(given).length <= KINDS_MAX, { error: `it takes at most ${KINDS_MAX} kinds` })
  .refine((given) => Object.values(given).every(({ answers, exposure }) => !answers || exposure), {
    error: 'a kind with `answers` says what was shown: it takes `exposure: true` beside it',
  })
  .refine((given) => Object.values(given).filter(({ answers }) => answers).length <= 1, {
    error: 'it takes `answers` for one kind at most: what is shown is learned once',
  })
  .default({})
  .meta({
    form: `a mapping of at most ${KINDS_MAX} names of kinds to what they mean`,
    description:
      'The kinds of events besides ratings, such as `click` or `purchase`. An environment variable or a flag takes names ' +
      'with commas between them (`click,view`), or the mapping as JSON.',
  });

const device = z
  .enum(['auto', 'cpu', 'tensorflow', 'webgpu'])
  .default('auto')
  .meta({
    description:
      'Where refits, and rankings in bulk, compute with whole matrices. `auto` takes the best that is installed, `cpu` if nothing is; one that is ' +
      'named and cannot be used refuses the start. Learning does not depend on it.',
  });

const reflection = z.boolean().default(true).meta({
  description: 'Whether gRPC reflection answers, so that tools like grpcurl need no `.proto` files.',
});

const ratingBound = z.number().min(-1e6).max(1e6);
const rating = z.strictObject({
  min: ratingBound.default(1).meta({ description: 'The lowest value of a rating; less than `rating.max`.' }),
  max: ratingBound.default(5).meta({ description: 'The highest value of a rating. Values off the scale are refused.' }),
});

const memory = z.strictObject({
  budgetMiB: z
    .int()
    .min(64)
    .max(4096)
    .default(4096)
    .meta({
      unit: 'MiB',
      description:
        'The most that all tables, ids and interactions may take. The system gives memory only as it is used; a rating ' +
        'that does not fit is refused.',
    }),
  deviceMiB: z
    .int()
    .min(1)
    .max(1_048_576)
    .default(4096)
    .meta({
      unit: 'MiB',
      description:
        'The most that all matrices on the device may take, besides `memory.budgetMiB`. It is taken only as it is used; a ' +
        'refit that does not fit is refused; a ranking is then done without.',
    }),
});

const journal = z.strictObject({
  linkMiB: z.int().min(1).max(4096).default(256).meta({
    unit: 'MiB',
    description: 'The size at which the journal begins another file.',
  }),
  keepMiB: z.int().min(0).max(1_000_000_000).default(0).meta({
    unit: 'MiB',
    description:
      'How much of it is kept at least; 0 sets no bound. Files beyond each bound that is set are removed after a checkpoint, once two checkpoints cover them; without a bound all is kept.',
  }),
  keepDays: z.int().min(0).max(36_500).default(0).meta({
    unit: 'days',
    description: 'How long records are kept at least; 0 sets no bound.',
  }),
  checkMiBPerSecond: z.int().min(0).max(1_000_000).default(32).meta({
    unit: 'MiB/s',
    description:
      'How fast records that a start need not learn are read beside the stream, to find damage; 0 = never, and the server takes ratings although some may be damaged.',
  }),
});

const checkpoint = z.strictObject({
  everyEvents: z.int().min(0).max(1_000_000_000).default(1_000_000).meta({
    unit: 'ratings and events',
    description: 'After how many a checkpoint is made; 0 = never for their number.',
  }),
  everyMiB: z.int().min(0).max(1_048_576).default(256).meta({
    unit: 'MiB',
    description: 'After how much of the journal a checkpoint is made; 0 = never for its size.',
  }),
  everySeconds: z.int().min(0).max(31_536_000).default(600).meta({
    unit: 's',
    description: 'After how long a checkpoint is made, if there is anything new; 0 = never for the time.',
  }),
});

const messageBytes = z
  .int()
  .min(MIB)
  .max(64 * MIB);
const limits = z.strictObject({
  messageBytes: messageBytes.default(4 * MIB).meta({
    unit: 'bytes',
    description: 'The largest message that the server takes: 4 MiB unless set, from 1 to 64 MiB.',
  }),
  ratingsPerBatch: z.int().min(2000).max(100_000).default(10_000).meta({
    unit: 'ratings',
    description: 'The most ratings in one request.',
  }),
  pageSize: z.int().min(1).max(10_000).default(1000).meta({
    unit: 'entries',
    description: 'The largest page; whoever asks for more gets this many.',
  }),
  candidates: z.int().min(1).max(100_000).default(10_000).meta({
    unit: 'items',
    description: 'The most ids in `candidate_item_ids`, and in `exclude_item_ids`.',
  }),
});

const ring = z.strictObject({
  mib: z
    .int()
    .min(8)
    .max(1024)
    .default(16)
    .meta({
      unit: 'MiB',
      description:
        'The queue of rating requests before the learner; at least twice `limits.messageBytes`. While it is full, ' +
        'requests are refused and streams are not read.',
    }),
});

const evaluation = z.strictObject({
  rankEvery: z.int().min(0).max(1_000_000).default(500).meta({
    unit: 'ratings',
    description: 'Every how many ratings one is ranked before it is learned (hit rate, NDCG); 0 = never.',
  }),
  window: z.int().min(100).max(1_000_000).default(10_000).meta({
    unit: 'ratings',
    description: 'How many of the latest ratings the sliding figures cover.',
  }),
});

const jobs = z.strictObject({
  max: z.int().min(1).max(16).default(2).meta({
    unit: 'jobs',
    description:
      'The most exports, imports, evaluations, searches for settings and models being loaded at once, of each; more are refused.',
  }),
  memoryMiB: z
    .int()
    .min(64)
    .max(4096)
    .default(4096)
    .meta({
      unit: 'MiB',
      description:
        'The most memory that one evaluation may take, one search for settings, or one Fuse with all its sources, besides ' +
        '`memory.budgetMiB`. The system gives it only as it is used; what does not fit is refused.',
    }),
});

const imports = z.strictObject({
  max: z.int().min(0).max(1000).default(16).meta({
    unit: 'files',
    description: 'The most model files that are kept; more are refused.',
  }),
  totalMiB: z.int().min(1).max(1_048_576).default(8192).meta({
    unit: 'MiB',
    description: 'The most that all of them may take on the disk, those that are on their way included.',
  }),
  idleMs: z.int().min(100).max(DAY_MS).default(30_000).meta({
    unit: 'ms',
    description:
      'In so long 1 MiB has to come of a file that is on its way, of a smaller one a sixteenth; else its import is ended.',
  }),
});

/** The defaults are gRPC's own, but for the number of calls; 0 stands for its "infinite". */
const connection = z.strictObject({
  keepaliveTimeMs: z.int().min(1000).max(DAY_MS).default(7_200_000).meta({
    unit: 'ms',
    description: 'How long a connection may be silent before the server pings it.',
  }),
  keepaliveTimeoutMs: z.int().min(100).max(DAY_MS).default(20_000).meta({
    unit: 'ms',
    description: 'How long the answer to a ping may take before the connection is closed.',
  }),
  maxAgeMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(0)
    .meta({
      unit: 'ms',
      description: 'The age at which a client is asked to connect anew, so that load spreads; 0 = never.',
    }),
  maxAgeGraceMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(0)
    .meta({
      unit: 'ms',
      description: 'How long calls may run on after `connection.maxAgeMs`; 0 = as long as they take.',
    }),
  max: z.int().min(1).max(1_000_000).default(10_000).meta({
    unit: 'connections',
    description: 'The most at once; those beyond it are closed as they come.',
  }),
  maxIdleMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(0)
    .meta({
      unit: 'ms',
      description:
        'How long a connection may be without a call before a client is asked to connect anew; 0 = for ever.',
    }),
  maxConcurrentStreams: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(256)
    .meta({
      unit: 'calls',
      description:
        'The most calls at once on one connection; what a client asks beyond that waits at its side. 0 = no limit: then an ' +
        'overload is kept in the memory of the server.',
    }),
});

const metricsForm = `${LISTEN_FORM}, or \`off\``;
const metrics = z.strictObject({
  listen: z
    .string()
    .refine((text) => text === 'off' || parseListen(text) !== undefined, { error: `it takes ${metricsForm}` })
    .default('127.0.0.1:9464')
    .meta({ form: metricsForm, description: 'Where metrics and probes answer over HTTP.' }),
});

const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').meta({
    description: 'The least important messages that are still logged.',
  }),
  calls: z.number().min(0).max(1).default(0).meta({
    unit: 'of all calls',
    description:
      'The share of calls, drawn by chance, whose method, status, duration and trace are logged at level `info`; 0 = none.',
  }),
});

const drain = z.strictObject({
  timeoutMs: z.int().min(0).max(3_600_000).default(30_000).meta({
    unit: 'ms',
    description: 'How long running calls may take to finish after SIGTERM or SIGINT before they are cut off.',
  }),
});

/** All keys, single ones first, then by section. */
export const keys = z.strictObject({
  listen,
  data,
  models,
  defaultModel,
  kinds,
  namespaces,
  peers,
  device,
  reflection,
  errorDetail,
  socketMode,
  tls: tls.prefault({}).describe('Encryption, and certificates of clients.'),
  auth: auth
    .prefault({})
    .describe(
      'Who may call, and how much. Without a file of clients or keys of tokens, anyone who connects may do everything.',
    ),
  rating: rating.prefault({}).describe('The scale of the ratings.'),
  memory: memory.prefault({}).describe('The memory of the models.'),
  journal: journal.prefault({}).describe('The record of everything that was accepted.'),
  checkpoint: checkpoint
    .prefault({})
    .describe('Saving the state, so that a restart learns only what came after. One is made at each stop too.'),
  limits: limits.prefault({}).describe('How much one request may ask.'),
  ring: ring.prefault({}).describe('The way from requests to learning.'),
  evaluation: evaluation.prefault({}).describe('Live figures: every rating is predicted before it is learned.'),
  jobs: jobs.prefault({}).describe('Work beside the stream, each in a thread of its own.'),
  imports: imports.prefault({}).describe('Model files from elsewhere, in the folder `imports` of the store.'),
  connection: connection.prefault({}).describe('The connections of gRPC clients.'),
  metrics: metrics.prefault({}).describe('Metrics and probes.'),
  log: log.prefault({}).describe('The log.'),
  drain: drain.prefault({}).describe('Stopping.'),
});

import { AccreteError, type FieldViolation } from '../errors.ts';

/** What OpenTelemetry's environment variables ask for. */

export type Env = Readonly<Record<string, string | undefined>>;
export type Protocol = 'grpc' | 'http/protobuf';

/** What is sent, each by its protocol; undefined: not at all. */
export interface OtlpPlan {
  readonly traces: Protocol | undefined;
  readonly metrics: Protocol | undefined;
  readonly logs: Protocol | undefined;
}

/** A variable that would change what is sent if it were taken for another value, as the SDK does with mistakes. */
interface Variable {
  readonly name: RegExp;
  readonly takes: string;
  readonly fits: (value: string) => boolean;
}

const PROTOCOLS: readonly string[] = ['grpc', 'http/protobuf'] satisfies Protocol[];
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]);
const MS_MAX = 2 ** 31 - 1;

const isNumber = (text: string, min: number, max: number) => Number(text) >= min && Number(text) <= max;

const VARIABLES: readonly Variable[] = [
  { name: /^OTEL_(TRACES|METRICS|LOGS)_EXPORTER$/, takes: 'otlp or none', fits: (text) => /^(otlp|none)$/.test(text) },
  {
    name: /^OTEL_EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?PROTOCOL$/,
    takes: PROTOCOLS.join(' or '),
    fits: (text) => PROTOCOLS.includes(text),
  },
  {
    name: /^OTEL_EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?ENDPOINT$/,
    takes: 'a URL with http or https, such as http://localhost:4318',
    fits: (text) => /^https?:/.test(text) && URL.canParse(text),
  },
  { name: /^OTEL_TRACES_SAMPLER$/, takes: `one of ${SAMPLERS.join(', ')}`, fits: (text) => SAMPLERS.includes(text) },
  { name: /^OTEL_TRACES_SAMPLER_ARG$/, takes: 'a ratio from 0 to 1', fits: (text) => isNumber(text, 0, 1) },
  {
    name: /^OTEL_METRIC_EXPORT_(INTERVAL|TIMEOUT)$/,
    takes: 'a number of milliseconds',
    fits: (text) => isNumber(text, 1, MS_MAX),
  },
];

/** What the environment asks for; undefined when it asks for nothing. Throws CONFIG_INVALID with every mistake. */
export function planOtlp(env: Env): OtlpPlan | undefined {
  const read = (name: string) => env[name]?.trim() || undefined;
  const planSignal = (signal: 'TRACES' | 'METRICS' | 'LOGS') => {
    const own = (key: string) => read(`OTEL_EXPORTER_OTLP_${signal}_${key}`) ?? read(`OTEL_EXPORTER_OTLP_${key}`);
    if (!own('ENDPOINT') || read(`OTEL_${signal}_EXPORTER`) === 'none') return undefined;
    return (own('PROTOCOL') ?? 'http/protobuf') as Protocol;
  };
  const plan = { traces: planSignal('TRACES'), metrics: planSignal('METRICS'), logs: planSignal('LOGS') };
  const asksForNothing = Object.values(plan).every((protocol) => protocol === undefined);
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || asksForNothing) return undefined;
  const violations = findMistakes(env);
  if (violations.length === 0) return plan;
  const lines = violations.map(({ field, description }) => `\n  ${field}: ${description}`);
  throw new AccreteError('CONFIG_INVALID', `OTLP cannot be set up:${lines.join('')}`, { violations });
}

function findMistakes(env: Env): FieldViolation[] {
  return Object.entries(env).flatMap(([field, value]) => {
    const variable = VARIABLES.find(({ name }) => name.test(field));
    const text = value?.trim();
    return variable && text && !variable.fits(text) ? [{ field, description: `it takes ${variable.takes}` }] : [];
  });
}

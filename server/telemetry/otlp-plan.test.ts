import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OtlpPlan, planOtlp } from './otlp-plan.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
const URL = 'http://127.0.0.1:4318';

const http = 'http/protobuf';
const EXAMPLES: [env: Record<string, string>, plan: OtlpPlan | undefined][] = [
  [{}, undefined],
  [{ [ENDPOINT]: '' }, undefined],
  [{ OTEL_TRACES_EXPORTER: 'otlp', [PROTOCOL]: 'nonsense' }, undefined],
  [{ [ENDPOINT]: URL }, { traces: http, metrics: http, logs: http }],
  [{ [ENDPOINT]: ` ${URL} ` }, { traces: http, metrics: http, logs: http }],
  [{ [TRACES_ENDPOINT]: URL }, { traces: http, metrics: undefined, logs: undefined }],
  [
    { [ENDPOINT]: URL, [PROTOCOL]: 'grpc' },
    { traces: 'grpc', metrics: 'grpc', logs: 'grpc' },
  ],
  [
    { [ENDPOINT]: URL, [PROTOCOL]: 'grpc', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: http },
    { traces: 'grpc', metrics: http, logs: 'grpc' },
  ],
  [
    { [ENDPOINT]: URL, OTEL_TRACES_EXPORTER: 'none' },
    { traces: undefined, metrics: http, logs: http },
  ],
  [
    { [ENDPOINT]: URL, OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    { traces: http, metrics: undefined, logs: undefined },
  ],
  [
    { [ENDPOINT]: URL, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
    { traces: undefined, metrics: undefined, logs: http },
  ],
  [
    { [ENDPOINT]: URL, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    undefined,
  ],
  [{ [ENDPOINT]: URL, OTEL_SDK_DISABLED: 'True' }, undefined],
  [
    { [ENDPOINT]: URL, OTEL_SDK_DISABLED: 'false', OTEL_TRACES_SAMPLER_ARG: '1' },
    { traces: http, metrics: http, logs: http },
  ],
];

for (const [env, plan] of EXAMPLES) {
  test(`${JSON.stringify(env)} asks for ${JSON.stringify(plan)}`, () => assert.deepEqual(planOtlp(env), plan));
}

const MISTAKES: [variable: string, value: string][] = [
  [ENDPOINT, 'localhost:4317'],
  [TRACES_ENDPOINT, 'ftp://localhost'],
  [PROTOCOL, 'http/json'],
  ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http'],
  ['OTEL_TRACES_EXPORTER', 'jaeger'],
  ['OTEL_TRACES_SAMPLER', 'parentbased_jaeger_remote'],
  ['OTEL_TRACES_SAMPLER_ARG', '-0.1'],
  ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ['OTEL_METRIC_EXPORT_INTERVAL', '0'],
];

for (const [variable, value] of MISTAKES) {
  test(`${variable}=${value} is refused`, () => {
    assert.throws(() => planOtlp({ [ENDPOINT]: URL, [variable]: value }), {
      reason: 'CONFIG_INVALID',
      message: new RegExp(`\n {2}${variable}: it takes `),
    });
  });
}

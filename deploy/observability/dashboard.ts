import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** Grafana's dashboard of the server, made into dashboard.json by `npm run docs`. */

interface Curve {
  readonly legend: string;
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly says: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const SERVER = 'job=~"$job",instance=~"$instance"';
const CALLS = 'rpc_server_call_duration_seconds';
const quantile = (q: number, name: string, by: string) =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${name}_bucket{${SERVER}}[$__rate_interval])))`;

const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  Calls: [
    {
      title: 'Calls',
      says: 'Calls a second, by method.',
      unit: 'reqps',
      curves: [
        {
          legend: '{{rpc_method}}',
          expr: `sum by (rpc_method) (rate(${CALLS}_count{${SERVER}}[$__rate_interval]))`,
        },
      ],
    },
    {
      title: 'Calls that failed',
      says: 'A second, by method and status.',
      unit: 'reqps',
      curves: [
        {
          legend: '{{rpc_method}} {{rpc_status_code}}',
          expr: `sum by (rpc_method, rpc_status_code) (rate(${CALLS}_count{${SERVER},rpc_status_code!="OK"}[$__rate_interval]))`,
        },
      ],
    },
    {
      title: 'Duration of calls',
      says: 'Half of all calls, and 99 of 100, were faster.',
      unit: 's',
      curves: [
        { legend: '{{rpc_method}} p50', expr: quantile(0.5, CALLS, 'rpc_method') },
        { legend: '{{rpc_method}} p99', expr: quantile(0.99, CALLS, 'rpc_method') },
      ],
    },
    {
      title: 'Choosing and scoring',
      says: 'Of a recommendation, without the wire, by the model that answered: 99 of 100 were faster.',
      unit: 's',
      curves: [{ legend: '{{model}}', expr: quantile(0.99, 'accrete_recommend_duration_seconds', 'model') }],
    },
  ],
  Learning: [
    {
      title: 'Ratings',
      says: 'A second, accepted and refused.',
      unit: 'cps',
      curves: [
        {
          legend: '{{result}}',
          expr: `sum by (result) (rate(accrete_rate_events_total{${SERVER},model=""}[$__rate_interval]))`,
        },
      ],
    },
    {
      title: 'From receipt to learned',
      says: 'Of the last request that brought ratings.',
      unit: 's',
      curves: [{ legend: '{{instance}}', expr: `accrete_update_lag_seconds{${SERVER}}` }],
    },
    {
      title: 'Live error (RMSE)',
      says: 'Each rating is predicted before it is learned; over the last window.',
      unit: 'none',
      curves: [{ legend: '{{model}}', expr: `accrete_prequential_rmse{${SERVER},window="window"}` }],
    },
    {
      title: 'Live error (MAE)',
      says: 'Each rating is predicted before it is learned; over the last window.',
      unit: 'none',
      curves: [{ legend: '{{model}}', expr: `accrete_prequential_mae{${SERVER},window="window"}` }],
    },
    {
      title: 'Live hit rate at 10',
      says: 'How often what was rated next was among the ten best; over the last window.',
      unit: 'percentunit',
      curves: [{ legend: '{{model}}', expr: `accrete_prequential_hit_rate{${SERVER},window="window"}` }],
    },
    {
      title: 'Live NDCG at 10',
      says: 'The place of what was rated next among the ten best; over the last window.',
      unit: 'none',
      curves: [{ legend: '{{model}}', expr: `accrete_prequential_ndcg{${SERVER},window="window"}` }],
    },
    {
      title: 'Drift and new versions',
      says: 'How often models found drift in their errors, and what became of versions that were made anew.',
      unit: 'none',
      curves: [
        {
          legend: 'drift of {{model}}',
          expr: `increase(accrete_model_drifts_total{${SERVER}}[$__rate_interval])`,
        },
        {
          legend: '{{strategy}} {{result}}',
          expr: `sum by (strategy, result) (increase(accrete_fuse_total{${SERVER}}[$__rate_interval]))`,
        },
      ],
    },
    {
      title: 'Revisions that models have not learned',
      says: 'Above 0 a model stopped learning: its state says why.',
      unit: 'none',
      curves: [
        {
          legend: '{{model}}',
          expr: `max without (model) (accrete_model_revision{${SERVER}}) - on (job, instance) group_right () accrete_model_revision{${SERVER}}`,
        },
      ],
    },
  ],
  'Memory and disk': [
    {
      title: 'Memory of the state',
      says: 'What is taken of the budget.',
      unit: 'bytes',
      curves: [{ legend: '{{state}}', expr: `accrete_memory_bytes{${SERVER}}` }],
    },
    {
      title: 'Memory of the models',
      says: 'Their tables.',
      unit: 'bytes',
      curves: [{ legend: '{{model}}', expr: `sum by (model) (accrete_table_bytes{${SERVER}})` }],
    },
    {
      title: 'Disk',
      says: 'Of the data folder.',
      unit: 'bytes',
      curves: [{ legend: '{{state}}', expr: `accrete_disk_bytes{${SERVER}}` }],
    },
    {
      title: 'Age of the checkpoint',
      says: 'How much a start would have to learn.',
      unit: 's',
      curves: [{ legend: '{{instance}}', expr: `accrete_checkpoint_age_seconds{${SERVER}}` }],
    },
    {
      title: 'Checkpoints',
      says: 'Saved and failed, in five minutes.',
      unit: 'none',
      curves: [{ legend: '{{result}}', expr: `sum by (result) (increase(accrete_checkpoints_total{${SERVER}}[5m]))` }],
    },
    {
      title: 'Check of the journal',
      says: '1: damage was found. The age is that of the last time that all records were read.',
      unit: 'none',
      curves: [
        { legend: 'damaged', expr: `accrete_journal_damaged{${SERVER}}` },
        { legend: 'age, days', expr: `accrete_journal_check_age_seconds{${SERVER}} / 86400` },
      ],
    },
    {
      title: 'The device for matrices',
      says: 'The share of time that it worked, and how often the processor had to do its work again.',
      unit: 'none',
      curves: [
        { legend: 'busy', expr: `rate(accrete_device_busy_seconds_total{${SERVER}}[$__rate_interval])` },
        { legend: 'done again', expr: `increase(accrete_device_fallbacks_total{${SERVER}}[$__rate_interval])` },
      ],
    },
  ],
};

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

export function buildDashboard() {
  const dashboard = new DashboardBuilder('Accrete')
    .uid('accrete')
    .tags(['accrete', 'recommender'])
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus'))
    .withVariable(labelVariable('job', 'label_values(accrete_model_revision, job)'))
    .withVariable(labelVariable('instance', 'label_values(accrete_model_revision{job=~"$job"}, instance)'));
  for (const [name, panels] of Object.entries(ROWS)) {
    dashboard.withRow(new RowBuilder(name));
    for (const panel of panels) dashboard.withPanel(buildPanel(panel));
  }
  return dashboard.build();
}

function labelVariable(name: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name).datasource(DATASOURCE).query(query).multi(true).includeAll(true).allValue('.*');
}

function buildPanel({ title, says, unit, curves }: Panel): PanelBuilder {
  const panel = new PanelBuilder().title(title).description(says).unit(unit).datasource(DATASOURCE).span(12).height(8);
  for (const { legend, expr } of curves) panel.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend));
  return panel;
}

/** As the file has it. */
export function renderDashboard(): string {
  return `${JSON.stringify(buildDashboard(), undefined, 2)}\n`;
}

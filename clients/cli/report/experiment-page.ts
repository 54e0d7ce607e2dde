import type { ExperimentReport, GetExperimentResponse, ReportPoint } from '../../../proto/gen/accrete/v1/experiment.ts';
import { armTable, comparedBy, differencesOf, figuresOf, remarksOf } from '../experiment-table.ts';
import { formatFigure, type Table } from '../output.ts';
import { bandChart } from './band-chart.ts';
import { intervalChart } from './chart.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { numbers, renderShell, section, table, texts, valuesOf } from './page.ts';

/** The report of an experiment as one page that needs nothing else, as that of an evaluation. */
export function renderExperimentPage(answer: GetExperimentResponse): string {
  const { experiment, report } = answer;
  const name = experiment?.name ?? '';
  if (!experiment || !report) return renderShell(`Experiment: ${name}`, '');
  const metric = comparedBy(experiment);
  const remarks = remarksOf(report);
  const figures = figuresOf(report);
  const sections: readonly (readonly [string, Content])[] = [
    ['Verdict', verdictOf(report)],
    ['Arms', tableOf('arms', armTable(answer))],
    [`${metric} over time`, coursesOf(report, metric)],
    ['Differences', differencesIn(report)],
    [
      'Figures',
      figures.length > 0
        ? table(
            'figures',
            FIGURES,
            figures.map((row) => [row.model, row.metric, ...valuesOf(row)]),
          )
        : '',
    ],
    ['Other metrics over time', othersOf(report, metric)],
    [
      'What to know',
      remarks.length > 0 ? markup`<ul>${remarks.map((one) => markup`<li>${one.replace('note: ', '')}</li>`)}</ul>` : '',
    ],
  ];
  const description =
    experiment.description === ''
      ? ''
      : markup`<p>${experiment.description}</p>
`;
  return renderShell(`Experiment: ${name}`, [
    description,
    ...sections.map(([title, content]) => section(title, content)),
  ]);
}

const FIGURES = [...texts('arm', 'metric'), ...numbers('value', '95% interval', 'count')];
const DIFFERENCES = [...texts('arm', 'against', 'metric'), ...numbers('difference', '95% interval', 'count')];
const MINUTES_MS = 60_000;
const HOURS_MS = 3_600_000;

function verdictOf({ verdict, sampleRatioP, revision }: ExperimentReport): Markup {
  return markup`<p class="decision">${verdict}</p>
<dl><dt>sample ratio p</dt><dd>${sampleRatioP.toPrecision(3)}</dd><dt>up to revision</dt><dd>${revision}</dd></dl>
<p>Intervals hold with 95% at all times together, however often this page is read: one may stop as soon as an interval
leaves 0 out. Of many metrics, the primary one alone decides.</p>
`;
}

function tableOf(title: string, { columns, rows }: Table): Content {
  return rows.length === 0 ? '' : table(title, columns, rows);
}

function differencesIn(report: ExperimentReport): Content {
  const differences = differencesOf(report);
  if (differences.length === 0) return '';
  const charts = [...Map.groupBy(differences, ({ metric }) => metric)].map(([metric, own]) => {
    const bars = own.map(({ model, value, lower, upper }) => ({ name: model, value, lower, upper }));
    return markup`<h3>${metric}</h3>
${intervalChart(`${metric}: differences from ${own[0].baseline}`, bars)}`;
  });
  const rows = differences.map((one) => [one.model, one.baseline, one.metric, ...valuesOf(one)]);
  return [...charts, table('differences', DIFFERENCES, rows)];
}

function coursesOf({ points }: ExperimentReport, metric: string): Content {
  return [...Map.groupBy(points, ({ arm }) => arm)].map(([arm, own]) => courseOf(arm, metric, own));
}

function othersOf(report: ExperimentReport, primary: string): Content {
  const metrics = new Set(report.points.flatMap(({ differences }) => differences.map(({ metric }) => metric)));
  metrics.delete(primary);
  if (metrics.size === 0) return '';
  return markup`<details>
<summary>${[...metrics].join(', ')}</summary>
${[...metrics].map((metric) => coursesOf(report, metric))}</details>
`;
}

function courseOf(arm: string, metric: string, points: readonly ReportPoint[]): Content {
  const found = points.flatMap(({ time, differences }) => {
    const difference = differences.find((each) => each.metric === metric);
    return difference && time ? [{ ms: Number(time.seconds) * 1000 + time.nanos / 1e6, difference }] : [];
  });
  const [first] = found;
  if (!first) return '';
  const span = (found.at(-1)?.ms ?? first.ms) - first.ms;
  const [unitMs, unit] = span > 5 * HOURS_MS ? [HOURS_MS, 'hours'] : [MINUTES_MS, 'minutes'];
  const since = ({ ms }: { readonly ms: number }) => (ms - first.ms) / unitMs;
  const axis = `${unit} since ${new Date(first.ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const band = found.map((one) => ({ x: since(one), ...one.difference }));
  const rows = found.map((one) => [since(one).toFixed(2), ...valuesOf(one.difference)]);
  const title = `${metric}: ${arm} minus the control`;
  return markup`<h3>${title}</h3>
${bandChart(title, axis, band)}<details>
<summary>The same as a table: ${formatFigure(first.difference.value)} at first, ${formatFigure(band[band.length - 1].value)} at last</summary>
${table(title, numbers(unit, 'difference', '95% interval', 'count'), rows)}</details>
`;
}

import {
  type EvaluationProtocol,
  type EvaluationReport,
  type EvaluationSeries,
  evaluationProtocolToJSON,
} from '../../../proto/gen/accrete/v1/evaluation.ts';
import type { MetricRow, PairedDifference } from '../../../proto/gen/accrete/v1/metric.ts';
import { gapsOf } from '../metric-table.ts';
import { formatCount, formatFigure } from '../output.ts';
import type { Column } from '../table.ts';
import { intervalChart, lineChart } from './chart.ts';
import { decide, verdictOf } from './decision.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { STYLE } from './style.ts';

/**
 * A report as one page of HTML that needs nothing else: no script, nothing from elsewhere (the policy in its head says so),
 * light and dark as the reader has it. The same report gives the same bytes.
 */
export function renderPage(report: EvaluationReport): string {
  const { rows, differences, series } = report;
  const name = nameOf(report.protocol);
  const gaps = gapsOf(report);
  const sections: readonly (readonly [string, Content])[] = [
    ['Decision', decisionOf(differences)],
    ['Figures', figuresOf(rows)],
    ['Differences', differencesOf(differences)],
    ['Learning curves', curvesOf(series)],
    ['What is missing', gaps.length > 0 ? markup`<ul>${gaps.map((one) => markup`<li>${one}</li>`)}</ul>` : ''],
  ];
  const body = [factList(report), ...sections.map(([title, content]) => section(title, content))];
  return renderShell(`Evaluation: ${name}`, body);
}

/** A page with a title that needs nothing else. */
export function renderShell(title: string, body: Content): string {
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}</main>
</body>
</html>
`;
  return page.text;
}

export function section(title: string, content: Content): Content {
  return content === ''
    ? ''
    : markup`<section>
<h2>${title}</h2>
${content}</section>
`;
}

function nameOf(protocol: EvaluationProtocol): string {
  return evaluationProtocolToJSON(protocol).replace('EVALUATION_PROTOCOL_', '');
}

function factList({ revision, trainedCount, heldOutCount, rows }: EvaluationReport): Markup {
  const facts = [
    ['models', [...new Set(rows.map(({ model }) => model))].join(', ') || 'none'],
    ['up to revision', revision || 'none yet'],
    ...(trainedCount + heldOutCount > 0n
      ? [
          ['ratings learned', formatCount(trainedCount)],
          ['ratings held out', formatCount(heldOutCount)],
        ]
      : []),
  ];
  return markup`<dl>${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
`;
}

function decisionOf(differences: readonly PairedDifference[]): Content {
  const { text, reasons } = decide(differences);
  return markup`<p class="decision">${text}</p>
${reasons.length > 0 ? markup`<ul>${reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>` : ''}
<p>Better and worse are those whose 95% interval of the paired difference does not hold 0, for all users together. Of many
comparisons one in twenty does so by chance.</p>
`;
}

function figuresOf(rows: readonly MetricRow[]): Content {
  if (rows.length === 0)
    return markup`<p>There are none: ratings are measured, and events that carry a value.</p>
`;
  const columns = [...texts('model', 'metric', 'covers'), ...numbers('value', '95% interval', 'count')];
  const cells = (row: MetricRow) => [row.model, row.metric, row.window, ...valuesOf(row)];
  return parts(rows, (own, title) => table(title, columns, own.map(cells)));
}

function differencesOf(differences: readonly PairedDifference[]): Content {
  if (differences.length === 0) return '';
  const whole = differences.filter(({ segment }) => segment === '');
  const charts = [...Map.groupBy(whole, ({ metric }) => metric)].map(([metric, own]) => {
    const bars = own.map(({ model, value, lower, upper }) => ({ name: model, value, lower, upper }));
    return markup`<h3>${metric}</h3>
${intervalChart(`${metric}: differences from ${own[0].baseline}`, bars)}`;
  });
  const cells = (one: PairedDifference) => [one.model, one.baseline, one.metric, ...valuesOf(one), verdictOf(one)];
  const figures = numbers('difference', '95% interval', 'count');
  const columns = [...texts('model', 'against', 'metric'), ...figures, ...texts('verdict')];
  return [...charts, parts(differences, (own, title) => table(title, columns, own.map(cells)))];
}

function curvesOf(series: readonly EvaluationSeries[]): Content {
  const charts = [...Map.groupBy(series, ({ metric }) => metric)].map(([metric, own]) => {
    const lines = own.map(({ model, points }) => ({
      name: model,
      points: points.map(({ count, value }) => ({ x: Number(count), y: value })),
    }));
    const rows = own.flatMap(({ model, points }) =>
      points.map(({ count, value }) => [model, formatCount(count), formatFigure(value)]),
    );
    return markup`<h3>${metric}</h3>
${lineChart(`${metric} of one stretch after the other`, 'observations so far', lines)}<details>
<summary>The same as a table</summary>
${table(`${metric} by stretch`, [...texts('model'), ...numbers('observations so far', metric)], rows)}</details>
`;
  });
  return charts.length === 0
    ? ''
    : [
        markup`<p>Each first rating was predicted just before it was learned. A point is the figure of one stretch alone.</p>
`,
        ...charts,
      ];
}

/** All users first; then the parts, folded up. */
function parts<Row extends { readonly segment: string }>(
  rows: readonly Row[],
  render: (rows: readonly Row[], title: string) => Markup,
): Content {
  const [whole, others] = [rows.filter(({ segment }) => segment === ''), rows.filter(({ segment }) => segment !== '')];
  const folded = [...Map.groupBy(others, ({ segment }) => segment)].map(([segment, own]) => render(own, segment));
  return [
    ...(whole.length > 0 ? [render(whole, 'all users')] : []),
    ...(folded.length > 0
      ? [
          markup`<details>
<summary>By how many ratings users had</summary>
${folded}</details>
`,
        ]
      : []),
  ];
}

export function valuesOf({
  value,
  lower,
  upper,
  count,
}: Pick<MetricRow, 'value' | 'lower' | 'upper' | 'count'>): string[] {
  const interval = lower === undefined || upper === undefined ? '' : `${formatFigure(lower)} to ${formatFigure(upper)}`;
  return [formatFigure(value), interval, formatCount(count)];
}

export function table(title: string, columns: readonly Column[], rows: readonly (readonly string[])[]): Markup {
  const cell = (text: string, n: number) => {
    if (n === 0) return markup`<th scope="row">${text}</th>`;
    return columns[n].align === 'right' ? markup`<td class="number">${text}</td>` : markup`<td>${text}</td>`;
  };
  const head = ({ name, align }: Column) =>
    align === 'right' ? markup`<th scope="col" class="number">${name}</th>` : markup`<th scope="col">${name}</th>`;
  return markup`<div class="wide" role="region" aria-label="${title}" tabindex="0"><table>
<caption>${title}</caption>
<thead><tr>${columns.map(head)}</tr></thead>
<tbody>
${rows.map(
  (row) => markup`<tr>${row.map(cell)}</tr>
`,
)}</tbody>
</table></div>
`;
}

export const texts = (...names: readonly string[]): Column[] => names.map((name) => ({ name }));
export const numbers = (...names: readonly string[]): Column[] => names.map((name) => ({ name, align: 'right' }));

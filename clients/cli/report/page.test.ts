import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvaluationProtocol, EvaluationReport } from '../../../proto/gen/accrete/v1/evaluation.ts';
import { renderPage } from './page.ts';

const HOSTILE = `</td><script>alert("1")</script><img src=x onerror='y'>&amp;`;
const MODELS = ['mf', HOSTILE];

function reportOf(models: readonly string[] = MODELS, name = HOSTILE): EvaluationReport {
  const row = (model: string, metric: string, segment = '') => ({
    ...{ model, metric, segment, window: 'total', count: 1234n },
    ...{ value: 0.91234, lower: 0.9, upper: 0.92 },
  });
  return EvaluationReport.fromPartial({
    protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
    revision: '00000000000000000042',
    trainedCount: 9000n,
    heldOutCount: 1234n,
    rows: models.flatMap((model) => [row(model, 'rmse'), row(model, name), row(model, 'rmse', name)]),
    differences: models.slice(1).flatMap((model) => [
      { ...row(model, 'rmse'), baseline: models[0], value: -0.0123, lower: -0.02, upper: -0.004 },
      { ...row(model, name), baseline: name, lower: undefined, upper: undefined },
    ]),
    series: models.map((model, n) => ({
      model,
      metric: 'rmse',
      points: Array.from({ length: 50 }, (_, p) => ({ count: BigInt(20 * (p + 1)), value: 1 + n / 10 + 1 / (p + 3) })),
    })),
    failures: [{ model: name, reason: name }],
    missing: [{ model: 'popularity', metric: 'rmse', reason: 'it does not predict ratings' }],
  });
}

/** The tags of a page, in order; throws when one is not closed, or text holds what should have been escaped. */
function tagsOf(page: string): string[] {
  const open: string[] = [];
  const tags: string[] = [];
  const body = page.replace(/<style>[^<]*<\/style>/, '').replace('<!DOCTYPE html>', '');
  const text = body.replace(
    /<(\/?)([a-zA-Z0-9]+)((?: [a-zA-Z0-9-]+="[^"<>]*")*)(\/?)>/g,
    (_, end, name, _attributes, empty) => {
      tags.push(name);
      if (end) assert.equal(open.pop(), name);
      else if (!empty && name !== 'meta') open.push(name);
      return '';
    },
  );
  assert.deepEqual(open, []);
  assert.doesNotMatch(text, /[<>"]/);
  return tags;
}

test('names and reasons that look like markup are text', () => {
  const page = renderPage(reportOf());
  const tags = new Set(tagsOf(page));
  assert.deepEqual(tags, new Set(tagsOf(renderPage(reportOf(['mf', 'stack'])))));
  for (const name of ['script', 'img']) assert(!tags.has(name), name);
  assert(page.includes('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;'));
});

test('it needs nothing from elsewhere, and forbids it', () => {
  const page = renderPage(reportOf(['mf', 'stack'], 'mrr'));
  assert.doesNotMatch(
    page,
    /\b(src|href|srcset|data)\s*=|url\(|@import|https?:|<(script|link|iframe|object|foreignObject)\b/i,
  );
  assert.match(
    page,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">/,
  );
  assert.match(page, /prefers-color-scheme: dark/);
});

test('what a chart shows stands in a table beside it, and every chart has a name', () => {
  const report = reportOf(['mf', 'stack']);
  const page = renderPage(report);
  const cells = new Set(Array.from(page.matchAll(/<td class="number">([^<]*)<\/td>/g), ([, cell]) => cell));
  for (const { points } of report.series)
    for (const { count, value } of points) {
      assert(cells.has(value.toFixed(4)) && cells.has(count.toLocaleString('en-US')), `${count} ${value}`);
    }
  for (const { value } of [...report.rows, ...report.differences]) assert(cells.has(value.toFixed(4)));
  for (const text of ['0.9000 to 0.9200', '-0.0200 to -0.0040']) assert(cells.has(text), text);
  const charts = page.match(/<svg viewBox="[^"]*" role="img" aria-label="[^"]+">\n<title>[^<]+<\/title>/g) ?? [];
  assert.equal(charts.length, 3);
  assert.equal(page.match(/<svg /g)?.length, charts.length + page.split('class="key"').length - 1);
  assert.doesNotMatch(page, /NaN|Infinity|undefined|\[object/);
});

test('it says what to do, what is missing, and on what it rests', () => {
  const page = renderPage(reportOf(['mf', 'stack']));
  assert.match(page, /Instead of mf take stack: /);
  assert.match(page, /popularity has no rmse: it does not predict ratings/);
  assert.match(page, /<h1>Evaluation: HOLDOUT<\/h1>/);
  assert.match(page, /<dd>9,000<\/dd>/);
});

test('the same report, the same bytes; one of nothing is a page, too', () => {
  assert.equal(renderPage(reportOf()), renderPage(reportOf()));
  const nothing = renderPage(EvaluationReport.fromPartial({ protocol: 1 }));
  tagsOf(nothing);
  assert.match(nothing, /Nothing to decide: /);
  assert.match(nothing, /There are none: /);
  const flat = { model: 'mf', metric: 'rmse', points: [{ count: 7n, value: 0 }] };
  assert.doesNotMatch(renderPage(EvaluationReport.fromPartial({ protocol: 1, series: [flat] })), /NaN|Infinity/);
});

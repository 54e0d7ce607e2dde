import { at, LINES, scaleOf, svg, WIDTH } from './chart.ts';
import { type Markup, markup } from './markup.ts';
import { ticksOf } from './ticks.ts';

/** An interval over time: the line is the value, the band what holds it at all times together. */

export interface BandPoint {
  readonly x: number;
  readonly value: number;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
}

/** Early bands may be a hundred times as wide as later ones: what is beyond so many widths of the last is cut off. */
const WIDTHS_MAX = 6;

export function bandChart(title: string, axis: string, points: readonly BandPoint[]): Markup {
  const { height, left, right, top, bottom } = LINES;
  const known = points.flatMap(({ x, lower, upper }) =>
    lower === undefined || upper === undefined ? [] : { x, lower, upper },
  );
  const last = known.at(-1);
  const most = last ? WIDTHS_MAX * (last.upper - last.lower) : Number.POSITIVE_INFINITY;
  const cut = (value: number) => Math.max(-most, Math.min(most, value));
  const x = scaleOf(
    points.map((point) => point.x),
    left,
    WIDTH - right,
  );
  const ends = [...known.flatMap(({ lower, upper }) => [lower, upper]), ...points.map(({ value }) => value), 0].map(
    cut,
  );
  const y = scaleOf(ends, height - bottom, top);
  const across = ticksOf(x.low, x.high, 6);
  const up = ticksOf(y.low, y.high, 5);
  const place = (point: number, value: number) => `${at(x.of(point))},${at(y.of(cut(value)))}`;
  const band = [
    ...known.map((one) => place(one.x, one.upper)),
    ...known.toReversed().map((one) => place(one.x, one.lower)),
  ];
  return markup`<figure>
${svg(title, height, [
  up.values.map(
    (
      value,
    ) => markup`<line class="${value === 0 ? 'zero' : 'grid'}" x1="${left}" x2="${WIDTH - right}" y1="${at(y.of(value))}" y2="${at(y.of(value))}"/>
<text x="${left - 8}" y="${at(y.of(value) + 4)}" text-anchor="end">${value.toFixed(up.digits)}</text>
`,
  ),
  across.values.map(
    (
      value,
    ) => markup`<text x="${at(x.of(value))}" y="${height - bottom + 18}" text-anchor="middle">${value.toFixed(across.digits)}</text>
`,
  ),
  markup`<text x="${at((left + WIDTH - right) / 2)}" y="${height - 6}" text-anchor="middle">${axis}</text>
`,
  known.length > 0
    ? markup`<polygon class="band" points="${band.join(' ')}"/>
`
    : '',
  markup`<polyline class="course" points="${points.map((point) => place(point.x, point.value)).join(' ')}"/>
`,
])}</figure>
`;
}

import { plotOf } from './chart.ts';
import { type Markup, markup } from './markup.ts';

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
  const known = points.flatMap(({ x, lower, upper }) =>
    lower === undefined || upper === undefined ? [] : { x, lower, upper },
  );
  const last = known.at(-1);
  const most = last ? WIDTHS_MAX * (last.upper - last.lower) : Number.POSITIVE_INFINITY;
  const cut = (value: number) => Math.max(-most, Math.min(most, value));
  const ends = [...known.flatMap(({ lower, upper }) => [lower, upper]), ...points.map(({ value }) => value), 0];
  const plot = plotOf(
    axis,
    points.map(({ x }) => x),
    ends.map(cut),
    (value, digits) => value.toFixed(digits),
  );
  const place = (x: number, value: number) => plot.place(x, cut(value));
  const band = [
    ...known.map((one) => place(one.x, one.upper)),
    ...known.toReversed().map((one) => place(one.x, one.lower)),
  ];
  const drawn = [
    known.length > 0
      ? markup`<polygon class="band" points="${band.join(' ')}"/>
`
      : '',
    markup`<polyline class="course" points="${points.map(({ x, value }) => place(x, value)).join(' ')}"/>
`,
  ];
  return markup`<figure>
${plot.draw(title, drawn)}</figure>
`;
}

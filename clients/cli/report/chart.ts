import { type Content, type Markup, markup } from './markup.ts';
import { COLOURS } from './style.ts';
import { ticksOf } from './ticks.ts';

/** Charts as inline SVG: no script, no font, no colour of their own. Each has a title; its numbers stand in a table beside it. */

const WIDTH = 720;
const ROW = 26;
const LINES = { height: 300, left: 64, right: 12, top: 12, bottom: 44 };
const INTERVALS = { left: 260, right: 24, top: 8, bottom: 34 };
/** Lines are told apart by colour and by dashes. */
const DASHES = ['', '7 4', '2 3', '9 3 2 3'];

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/** Where the points of lines lie, and what is drawn around them: a grid, numbers at both axes, and what the lower one is. */
export function plotOf(axis: string, xs: readonly number[], ys: readonly number[], numberOf: NumberFormat) {
  const { height, left, right, top, bottom } = LINES;
  const x = scaleOf(xs, left, WIDTH - right);
  const y = scaleOf(ys, height - bottom, top);
  const ticks = ticksOf(x.low, x.high, 6);
  const across = ticks.values.map(
    (
      value,
    ) => markup`<text x="${at(x.of(value))}" y="${height - bottom + 18}" text-anchor="middle">${numberOf(value, ticks.digits)}</text>
`,
  );
  const { values, digits } = ticksOf(y.low, y.high, 5);
  const up = values.map(
    (
      value,
    ) => markup`<line class="${value === 0 ? 'zero' : 'grid'}" x1="${left}" x2="${WIDTH - right}" y1="${at(y.of(value))}" y2="${at(y.of(value))}"/>
<text x="${left - 8}" y="${at(y.of(value) + 4)}" text-anchor="end">${value.toFixed(digits)}</text>
`,
  );
  const label = markup`<text x="${at((left + WIDTH - right) / 2)}" y="${height - 6}" text-anchor="middle">${axis}</text>
`;
  return {
    place: (px: number, py: number) => `${at(x.of(px))},${at(y.of(py))}`,
    draw: (title: string, content: Content) => svg(title, height, [up, across, label, content]),
  };
}

type NumberFormat = (value: number, digits: number) => string;

/** Lines over a common axis, with a key. */
export function lineChart(title: string, axis: string, lines: readonly Line[]): Markup {
  const points = lines.flatMap((line) => line.points);
  const { place, draw } = plotOf(
    axis,
    points.map(({ x }) => x),
    points.map(({ y }) => y),
    (value) => value.toLocaleString('en-US'),
  );
  const drawn = lines.map((line, n) => {
    const path = line.points.map(({ x, y }) => place(x, y)).join(' ');
    return markup`<polyline class="line c${n % COLOURS}" stroke-dasharray="${dashOf(n)}" points="${path}"><title>${line.name}</title></polyline>
`;
  });
  return markup`<figure>
${draw(title, drawn)}<figcaption>${lines.map((line, n) => keyOf(line.name, n))}</figcaption>
</figure>
`;
}

/** A row for each: a dot at the value, a line from the lower to the upper bound, and where 0 is. */
export function intervalChart(title: string, bars: readonly Bar[]): Markup {
  const { left, right, top, bottom } = INTERVALS;
  const height = top + ROW * bars.length + bottom;
  const ends = bars.flatMap(({ value, lower = value, upper = value }) => [lower, upper]);
  const x = scaleOf([0, ...ends], left, WIDTH - right);
  const { values, digits } = ticksOf(x.low, x.high, 5);
  const grid = values.map((value) => {
    const place = at(x.of(value));
    return markup`<line class="${value === 0 ? 'zero' : 'grid'}" x1="${place}" x2="${place}" y1="${top}" y2="${height - bottom}"/>
<text x="${place}" y="${height - bottom + 18}" text-anchor="middle">${value.toFixed(digits)}</text>
`;
  });
  const rows = bars.map(({ name, value, lower = value, upper = value }, n) => {
    const middle = at(top + ROW * (n + 0.5));
    return markup`<text x="${left - 12}" y="${at(top + ROW * (n + 0.5) + 4)}" text-anchor="end">${shorten(name)}<title>${name}</title></text>
<line class="bar" x1="${at(x.of(lower))}" x2="${at(x.of(upper))}" y1="${middle}" y2="${middle}"/>
<circle class="dot" cx="${at(x.of(value))}" cy="${middle}" r="4"/>
`;
  });
  return markup`<figure>
${svg(title, height, [grid, rows])}</figure>
`;
}

function svg(title: string, height: number, content: Content): Markup {
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
<title>${title}</title>
${content}</svg>
`;
}

function keyOf(name: string, n: number): Markup {
  return markup`<span><svg class="key" viewBox="0 0 34 10" aria-hidden="true"><line class="line c${n % COLOURS}" stroke-dasharray="${dashOf(n)}" x1="0" x2="34" y1="5" y2="5"/></svg> ${name}</span>
`;
}

function dashOf(n: number): string {
  return DASHES[(n + Math.floor(n / COLOURS)) % DASHES.length];
}

/** Maps values to places; a little is left at both ends. */
function scaleOf(values: readonly number[], from: number, to: number) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = most > least ? 0.04 * (most - least) : Math.max(1e-6, 0.1 * Math.abs(most));
  const [low, high] = [least - room, most + room];
  return { low, high, of: (value: number) => from + ((value - low) / (high - low)) * (to - from) };
}

/** A tenth of a pixel is enough. */
const at = (place: number) => place.toFixed(1);

const NAME_MAX = 38;

function shorten(name: string): string {
  const characters = [...name];
  return characters.length <= NAME_MAX ? name : `${characters.slice(0, NAME_MAX - 1).join('')}…`;
}

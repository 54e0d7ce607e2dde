import type { Kept } from './keep-fresh.ts';
import type { Table } from './table.ts';

/** A drawing of error by processor's time, a panel for each data set: SVG that needs nothing else. */

const [WIDTH, HEIGHT, MARGIN] = [460, 340, 56];
const COLOURS: Readonly<Record<Kept['way'], string>> = {
  online: '#1b7837',
  'REFIT beside online': '#2166ac',
  'retraining alone': '#b2182b',
};

export function plot(tables: readonly Table[]): string {
  const panels = tables.map((table, n) => `<g transform="translate(${n * WIDTH} 0)">${panelOf(table)}</g>`);
  const legend = Object.entries(COLOURS).map(
    ([way, colour], n) =>
      `<circle cx="${MARGIN + 170 * n}" cy="${HEIGHT + 14}" r="4" fill="${colour}"/>` +
      text(MARGIN + 170 * n + 8, HEIGHT + 18, way === 'online' ? 'online alone' : `${way}, every T`),
  );
  const width = WIDTH * Math.max(1, tables.length);
  const style = 'font-family="sans-serif" font-size="11"';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT + 30}" ${style}>`,
    '<title>What freshness buys: RMSE by seconds of the processor</title>',
    '<rect width="100%" height="100%" fill="white"/>',
    ...panels,
    ...legend,
    '</svg>\n',
  ].join('\n');
}

/** Time in powers of ten from left to right, the error from below. */
function panelOf({ set, kept }: Table): string {
  const decades = kept.map(({ cpu }) => Math.log10(Math.max(cpu, 1e-3)));
  const errors = kept.map(({ rmse }) => rmse);
  const x = axis(Math.floor(Math.min(...decades)), Math.ceil(Math.max(...decades)), MARGIN, WIDTH - 20);
  const pad = 0.08 * (Math.max(...errors) - Math.min(...errors)) || 0.01;
  const y = axis(Math.min(...errors) - pad, Math.max(...errors) + pad, HEIGHT - MARGIN, 30);
  const points = kept.map((each, n) => ({ ...each, x: x.at(decades[n]), y: y.at(errors[n]) }));
  const ticks = [
    ...Array.from({ length: x.to - x.from + 1 }, (_, n) => x.from + n).map(
      (decade) =>
        line(x.at(decade), 30, x.at(decade), HEIGHT - MARGIN) +
        text(x.at(decade), HEIGHT - 38, seconds(decade), 'middle'),
    ),
    ...[0, 1, 2, 3, 4]
      .map((n) => y.from + (n / 4) * (y.to - y.from))
      .map(
        (error) =>
          line(MARGIN, y.at(error), WIDTH - 20, y.at(error)) +
          text(MARGIN - 4, y.at(error) + 4, error.toFixed(3), 'end'),
      ),
  ];
  const lines = Object.entries(COLOURS).map(([way, colour]) => {
    const own = points.filter((point) => point.way === way);
    const path = own.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${colour}"/>`;
  });
  const dots = points.map(
    (point) =>
      `<circle cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="4" fill="${COLOURS[point.way]}"/>` +
      text(point.x + 6, point.y - 5, point.every),
  );
  const labels = [
    text(WIDTH / 2, 18, `${set}: RMSE of each rating before it is known`, 'middle'),
    text(WIDTH / 2, HEIGHT - 20, 'seconds of the processor for the whole stream', 'middle'),
  ];
  return [...ticks, ...lines, ...dots, ...labels].join('\n');
}

function axis(from: number, to: number, start: number, end: number) {
  const last = to > from ? to : from + 1;
  return { from, to: last, at: (value: number) => start + ((value - from) / (last - from)) * (end - start) };
}

const seconds = (decade: number) => String(Number((10 ** decade).toPrecision(1)));

const line = (x1: number, y1: number, x2: number, y2: number) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;

const text = (x: number, y: number, words: string, anchor = 'start') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;

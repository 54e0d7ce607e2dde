import type { Report, Target } from '../report.ts';
import { meets } from '../report.ts';
import type { Estimate } from './estimate.ts';
import { OTHERS, type Others, TARGETS } from './references.ts';

/** All that was measured, as one table: by what was asked and of which data set, a row for who answered. */

interface Cell extends Partial<Pick<Estimate, 'interval'>> {
  readonly value: number;
  readonly target?: Target;
}

interface Row {
  readonly who: string;
  readonly cells: Readonly<Record<string, Cell>>;
}

const METRICS = ['RMSE', 'MAE', 'HR@10', 'NDCG@10'] as const;

export class Sheet {
  readonly report: Report;
  readonly #parts = new Map<string, Row[]>();
  readonly #hasTargets: boolean;

  /** `hasTargets`: whether what is measured can be held against targets and others; of a part of a set it cannot. */
  constructor(report: Report, hasTargets: boolean) {
    this.report = report;
    this.#hasTargets = hasTargets;
  }

  /** What a model came to; metrics whose value is not a number are left out. */
  add(part: string, who: string, found: Readonly<Record<string, Cell>>, configHash?: string): void {
    const cells = Object.entries(found)
      .filter(([, { value }]) => !Number.isNaN(value))
      .map(([metric, cell]) => {
        const target = this.#hasTargets ? TARGETS[part]?.[`${who} ${metric}`] : undefined;
        return [metric, { ...cell, target: cell.target ?? target }] as const;
      });
    for (const [metric, { value, interval, target }] of cells) {
      this.report.add({ part, name: `${who}: ${metric}`, value, unit: '', interval, target, configHash });
    }
    this.#rows(part).push({ who, cells: Object.fromEntries(cells) });
  }

  /** Markdown, with what others came to beside it. */
  toString(): string {
    return [...this.#parts].map(([part, rows]) => tableOf(part, this.#beside(part, rows))).join('\n\n');
  }

  #rows(part: string): Row[] {
    const rows = this.#parts.get(part);
    if (rows) return rows;
    const made: Row[] = [];
    this.#parts.set(part, made);
    return made;
  }

  #beside(part: string, rows: readonly Row[]): Row[] {
    const others = this.#hasTargets ? (OTHERS[part] ?? {}) : {};
    return [...rows, ...rowsOf(others)];
  }
}

function rowsOf(others: Others): Row[] {
  return Object.entries(others).map(([who, figures]) => ({
    who: `*${who}*`,
    cells: Object.fromEntries(Object.entries(figures).map(([metric, value]) => [metric, { value }])),
  }));
}

function tableOf(part: string, rows: readonly Row[]): string {
  const metrics = METRICS.filter((metric) => rows.some(({ cells }) => metric in cells));
  const lines = rows.map(({ who, cells }) => [who, ...metrics.map((metric) => textOf(cells[metric]))]);
  const head = [part, ...metrics];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function textOf(cell: Cell | undefined): string {
  if (!cell) return '';
  const { value, interval, target } = cell;
  const range = interval ? ` [${digits(interval[0])}, ${digits(interval[1])}]` : '';
  if (!target) return `${digits(value)}${range}`;
  const wanted = 'atMost' in target ? `≤ ${digits(target.atMost)}` : `≥ ${digits(target.atLeast)}`;
  return `${digits(value)}${range} (${wanted}: ${meets(value, target) ? 'met' : '**missed**'})`;
}

/** As papers write them: .9137 */
const digits = (value: number) => value.toFixed(4).replace(/^(-?)0\./, '$1.');

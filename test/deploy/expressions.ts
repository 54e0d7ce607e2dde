import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../support/server-process.ts';

/** Every expression of PromQL in `deploy/observability`, by where it stands. */

export const FOLDER = join(ROOT, 'deploy/observability');

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

interface Panels {
  readonly title?: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly panels?: readonly Panels[];
}

export function findExpressions(): Map<string, string> {
  const { groups } = parse(readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8')) as Rules;
  const rules = groups.flatMap(({ rules }) => rules).map(({ alert, expr }) => [alert, expr] as const);
  const dashboard = JSON.parse(readFileSync(join(FOLDER, 'dashboard.json'), 'utf8')) as Panels;
  return new Map([...rules, ...curvesOf(dashboard)]);
}

/** With values in the place of Grafana's variables. */
function curvesOf({ title = '', targets = [], panels = [] }: Panels): [string, string][] {
  const own = targets.map(({ expr }, n): [string, string] => [
    `panel ${title} ${n}`,
    expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
  ]);
  return [...own, ...panels.flatMap(curvesOf)];
}

/** What an expression asks for. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

const SELECTOR = /\b((?:accrete|rpc|up)(?:_[a-z_]+)?)\b(?:\s*\{([^}]*)\})?/g;

export function selectorsOf(expression: string): Selector[] {
  return [...expression.matchAll(SELECTOR)].filter(isMetric).map(([, metric, inner = '']) => ({
    metric,
    labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label),
  }));
}

/** Labels in lists of `by`, `on` and the like have no place for a metric around them. */
function isMetric(match: RegExpExecArray): boolean {
  const before = match.input.slice(0, match.index);
  return !/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*$/.test(before) && !/\{[^}]*$/.test(before);
}

export function groupedLabelsOf(expression: string): string[] {
  const lists = [...expression.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g)];
  return lists
    .flatMap(([, list]) => list.split(','))
    .map((label) => label.trim())
    .filter(Boolean);
}

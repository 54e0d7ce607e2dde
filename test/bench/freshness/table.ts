import type { Kept } from './keep-fresh.ts';

/** What was measured on one data set. */
export interface Table {
  readonly set: string;
  readonly kept: readonly Kept[];
}

export function nameOf({ way, every }: Kept): string {
  return every === '' ? way : `${way}, every ${every}`;
}

/** Markdown. */
export function tableOf({ set, kept }: Table): string {
  const [alone] = kept;
  const lines = kept.map((each) => {
    const { rmse, interval, cpu, fits, measured } = each;
    const less =
      each === alone ? '' : signed(rmse - alone.rmse) + (interval ? ` [${interval.map(signed).join(', ')}]` : '');
    const whole = measured > fits ? 'all' : String(measured);
    return [nameOf(each), digits(rmse), less, cpu.toFixed(1), ...(each === alone ? ['', ''] : [String(fits), whole])];
  });
  const head = [set, 'RMSE', 'less online', 'CPU s', 'fits', 'measured'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const digits = (value: number) => value.toFixed(4).replace(/^0\./, '.');
const signed = (value: number) => `${value < 0 ? '-' : '+'}${digits(Math.abs(value))}`;

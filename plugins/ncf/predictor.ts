import { type Memory, NO_ROW } from '../contract/index.ts';
import { Base } from './base.ts';
import { bounded, Gate } from './gate.ts';
import { Net, type NetContext } from './net.ts';
import { lastOf } from './start.ts';

/** r^ = m + b_u + b_i + gate said; the network says nothing of what is unknown. */
export function predictor(context: NetContext & { readonly memory: Memory }): (user: number, item: number) => number {
  const { tables } = context;
  const base = new Base(context);
  const gate = new Gate(context);
  const net = new Net(context);
  const vectorOf = { user: tables.users.column('vector'), item: tables.items.column('vector') };
  const last = lastOf(tables);
  return (user, item) => {
    const expected = base.expect(user, item);
    if (user === NO_ROW || item === NO_ROW) return expected;
    const openness = gate.openness(gate.bucket(user, item));
    if (openness === 0) return expected;
    return expected + openness * bounded(net.say(vectorOf.user(user), vectorOf.item(item), last));
  };
}

import type { Random } from '../../../plugins/contract/index.ts';
import type { Drawn, Field, Ticket } from './field.ts';
import { PlaceChances } from './place-chances.ts';

/** So many positions are tried, of which one in eight or more is free, before they are listed. */
const TRIES = 200;

/** Place by place: with chance `epsilon` any item that is left, else the best of them. */
export function drawGreedily(epsilon: number, random: Random, field: Field, count: number): Drawn[] {
  const best = field.best(count);
  const items = countEligible(field.scores);
  const rankOf = new Map(best.map(({ position }, rank) => [position, rank]));
  const chances = new PlaceChances(epsilon, items, best.length);
  const taken = new Set<number>();
  let next = 0;
  return best.map((_, place) => {
    while (next < best.length && taken.has(best[next].position)) next++;
    const isDrawn = random.next() / 2 ** 32 < epsilon;
    const ticket = isDrawn ? drawAny(random, field, taken, items) : best[next];
    taken.add(ticket.position);
    const rank = rankOf.get(ticket.position) ?? Number.POSITIVE_INFINITY;
    return { ...ticket, chance: () => chances.of(rank, place) };
  });
}

/** Any eligible item that is not taken, all as likely. */
function drawAny(random: Random, { scores }: Field, taken: ReadonlySet<number>, items: number): Ticket {
  const isFree = (position: number) => scores[position] > Number.NEGATIVE_INFINITY && !taken.has(position);
  const free = items - taken.size;
  for (let tries = 8 * free < scores.length ? 0 : TRIES; tries > 0; tries--) {
    const position = random.below(scores.length);
    if (isFree(position)) return { position, score: scores[position] };
  }
  const positions = Array.from(scores.keys()).filter(isFree);
  const position = positions[random.below(positions.length)];
  return { position, score: scores[position] };
}

function countEligible(scores: Float32Array): number {
  let count = 0;
  for (let position = 0; position < scores.length; position++) if (scores[position] > Number.NEGATIVE_INFINITY) count++;
  return count;
}

import { Arena } from '../arena.ts';

/** An arena of 4 GiB whose first half is taken, so that an address used as a signed number shows. It costs what is used. */
export function highArena(): Arena {
  const arena = Arena.create(4 * 1024 ** 3);
  arena.allocate(2 * 1024 ** 3);
  return arena;
}

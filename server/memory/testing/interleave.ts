import { mock } from 'node:test';

/** Runs `write`, and `look` at each moment in which it publishes something: before and after every atomic store. */
export function lookAtEveryStore(write: () => void, look: () => void): void {
  const { store } = Atomics;
  let looking = false;
  const lookOnce = () => {
    if (looking) return;
    looking = true;
    look();
    looking = false;
  };
  const { mock: mocked } = mock.method(Atomics, 'store', (...args: Parameters<typeof store>) => {
    lookOnce();
    store(...args);
    lookOnce();
    return args[2];
  });
  try {
    write();
  } finally {
    mocked.restore();
  }
}

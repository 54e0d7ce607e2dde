import type { MessagePort } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import type { JobNews } from './messages.ts';

/** The thread's end of a job: makes one item for each that is asked for, until the work is done or has failed. */
export function serveJob<Item>(port: MessagePort, work: Iterator<Item> | AsyncIterator<Item>): void {
  const tell = (news: JobNews<Item>) => port.postMessage(news);
  let last: Promise<void> = Promise.resolve();
  let over = false;
  const makeNext = async () => {
    if (over) return;
    try {
      const { done, value } = await work.next();
      over = done === true;
      tell(over ? { type: 'done' } : { type: 'item', item: value });
    } catch (error) {
      over = true;
      tell({ type: 'failed', error: AccreteError.wrap(error).toJSON(), stack: String((error as Error).stack) });
    }
  };
  port.on('message', () => {
    last = last.then(makeNext);
  });
}

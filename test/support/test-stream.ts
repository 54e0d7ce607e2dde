import { once } from 'node:events';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';

/** A client's end of a stream: what is sent, and the answers one by one. */
export class TestStream<Request, Response> {
  readonly call: ClientDuplexStream<Request, Response>;
  readonly #answers: Response[] = [];
  #wake = () => {};
  #end: ServiceError | 'done' | undefined;

  constructor(call: ClientDuplexStream<Request, Response>) {
    this.call = call;
    call.on('data', (answer: Response) => this.#note(() => this.#answers.push(answer)));
    call.on('end', () => this.#note(() => (this.#end ??= 'done')));
    call.on('error', (error: ServiceError) => this.#note(() => (this.#end = error)));
  }

  /** Sends a request without asking whether the other side keeps up. */
  send(request: Request): void {
    this.call.write(request);
  }

  /** Sends a request, and resolves when another one may follow. */
  async sendInTurn(request: Request): Promise<void> {
    if (!this.call.write(request)) await once(this.call, 'drain');
  }

  /** The next answer; undefined at the end. Throws what the stream failed with. */
  async next(): Promise<Response | undefined> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#end === 'done') return undefined;
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** So many answers, or all that come until the end. */
  async take(count = Number.POSITIVE_INFINITY): Promise<Response[]> {
    const answers: Response[] = [];
    while (answers.length < count) {
      const answer = await this.next();
      if (answer === undefined) break;
      answers.push(answer);
    }
    return answers;
  }

  /** Ends the client's side and returns the answers that are left. */
  finish(): Promise<Response[]> {
    this.call.end();
    return this.take();
  }

  #note(change: () => void): void {
    change();
    this.#wake();
  }
}

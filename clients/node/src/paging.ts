import type { CallOptions } from './calls.ts';

interface PagedRequest {
  readonly pageToken?: string;
}

interface Page {
  readonly nextPageToken: string;
}

/**
 * The pages of an answer, one after the other: `for await (const page of pages(client.users.listRatings, { userId }))`.
 * `options` are those of each call.
 */
export async function* pages<Request extends PagedRequest, Answer extends Page>(
  call: (request: Request, options?: CallOptions) => Promise<Answer>,
  request: Request,
  options?: CallOptions,
): AsyncGenerator<Answer, void, undefined> {
  let pageToken = request.pageToken ?? '';
  do {
    const page = await call({ ...request, pageToken }, options);
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

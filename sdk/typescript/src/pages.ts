/** Answers that come in pages: one page when awaited, everything when iterated over. */

import type { Answer } from "./transport.js";

/**
 * The request is sent when the object is used. It may be used more than once; each use sends new requests.
 *
 * `await found` gives the first page, `for await (const item of found)` every item of every page, `for await (const page of
 * found.pages())` every page. No item is missing or repeated when events are committed meanwhile. Rejects with the errors of any request,
 * and with `NotFound` when the event, node or trace does not exist.
 */
export class Pages<P, T> implements PromiseLike<P>, AsyncIterable<T> {
  /** @internal `target(limit)` is the first page's path and query. Without `limit`, iteration uses pages of the `largest` size. */
  constructor(
    private readonly ask: (target: string) => Promise<Answer>,
    private readonly target: (limit: number | undefined) => string,
    private readonly items: (page: P) => readonly T[],
    private readonly limit: number | undefined,
    private readonly largest = 1_000,
  ) {}

  then<R = P, E = never>(
    found?: ((page: P) => R | PromiseLike<R>) | null, failed?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.ask(this.target(this.limit)).then((answer) => answer.body as P).then(found, failed);
  }

  /** Each page, following the `Link` headers to the last. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    for (let target: string | undefined = this.target(this.limit ?? this.largest); target !== undefined; ) {
      const answer = await this.ask(target);
      yield answer.body as P;
      target = answer.following;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* this.items(page);
  }
}

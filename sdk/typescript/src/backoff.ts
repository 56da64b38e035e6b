/** Exponential backoff with jitter, and waiting with a limit. */

import { Unavailable } from "./errors.js";

/** Longest timer in milliseconds; a longer one would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Delays that double from `first` to `most` milliseconds. Each is up to `jitter` (a fraction) longer, so that clients spread out. */
export class Backoff {
  constructor(readonly first = 1_000, readonly most = 30_000, readonly jitter = 0.25) {}

  /** The delays in milliseconds, without end. */
  *delays(): Generator<number, never> {
    for (let delay = this.first; ; delay = Math.min(this.most, delay * 2)) yield this.spread(delay);
  }

  /** The delay with jitter: up to `jitter` times the delay longer. */
  spread(delay: number): number {
    return delay * (1 + this.jitter * Math.random());
  }
}

/** Between attempts of a request, unless the service sends `Retry-After`. */
export const REQUESTS = new Backoff(100, 10_000, 0.5);
/** Between attempts to open a stream: 1 s, doubling to 30 s. */
export const RECONNECTS = new Backoff();

/** Resolves after this many milliseconds, or at once when the signal aborts. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/** The result of `work`, or the error `late()` after this many milliseconds; Infinity waits for ever. */
export async function within<T>(milliseconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  if (milliseconds === Infinity) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.min(milliseconds, LONGEST_TIMER));
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a call that `close` interrupted. */
export function closed(): Unavailable {
  return new Unavailable("the client was closed");
}

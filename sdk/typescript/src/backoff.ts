/** How long to wait before trying again. */

import { Unavailable } from "./errors.js";

/** Milliseconds; a longer timer would go off at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Delays that double from `first` to `most` milliseconds, each up to `jitter` (a part of it) longer, so that clients spread out. */
export class Backoff {
  constructor(readonly first = 1_000, readonly most = 30_000, readonly jitter = 0.25) {}

  /** Endless. */
  *delays(): Generator<number, never> {
    for (let delay = this.first; ; delay = Math.min(this.most, delay * 2)) yield this.spread(delay);
  }

  /** This delay and up to `jitter` of it more. */
  spread(delay: number): number {
    return delay * (1 + this.jitter * Math.random());
  }
}

/** Between the tries of a request, unless the service names a time itself. */
export const REQUESTS = new Backoff(100, 10_000, 0.5);
/** Between the tries to open a stream: 1 s, doubling to 30 s. */
export const RECONNECTS = new Backoff();

/** Resolves after so many milliseconds, at once when the signal aborts. */
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

/** The work's result, or the error once so many milliseconds have passed; Infinity waits for ever. */
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

/** What a call that `close` interrupted ends with. */
export function closed(): Unavailable {
  return new Unavailable("the client was closed");
}

/** HTTP requests with retries. Every request is safe to repeat. */

import { LONGEST_TIMER, REQUESTS, closed, sleep, type Backoff } from "./backoff.js";
import { Conflict, InvalidEvent, NotAllowed, NotFound, ServiceFault, TooLarge, Unavailable, type SempError } from "./errors.js";
import type { FieldError } from "./types.js";

/** Statuses after which the same request may succeed. 500 is one of them because ids make the repetition harmless. */
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Upper bound of `Retry-After` in milliseconds. */
const LONGEST_WAIT = 3_600_000;
const NEXT = /<(\/[^>]*)>\s*;\s*rel="?next"?/;

export type Query = Record<string, string | number | boolean | Date | readonly string[] | null | undefined>;

/** A successful answer: its body, and path and query of the next page. */
export interface Answer {
  body: unknown;
  following: string | undefined;
}

/**
 * `http://host:port/prefix` of any address of the service: with or without `/api`, `/ws` or a last slash, ws:// as well.
 *
 * @throws TypeError when it is no such address.
 */
export function baseOf(url: string): string {
  const [, scheme, rest] = /^(?:http|ws)(s?):\/\/([^/?#][^?#]*)/.exec(url) ?? [];
  if (rest === undefined) throw new TypeError(`${url} is no address such as http://localhost:5000`);
  return `http${scheme}://${rest.replace(/\/+$/, "").replace(/\/api$/, "").replace(/\/ws$/, "")}`;
}

/**
 * Text as one segment of a path.
 *
 * @throws InvalidEvent for `.` and `..`, which cannot stand in one.
 */
export function segment(text: string): string {
  if (text === "." || text === "..") throw new InvalidEvent(`${text} cannot be asked for by path`);
  return encodeURIComponent(text);
}

/** Parameters that have a value, arrays as repeated ones; with the question mark, or empty. */
export function queryString(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    for (const value of isList(given) ? given : [given]) {
      if (value !== null && value !== undefined) pairs.append(name, text(value));
    }
  }
  return pairs.size > 0 ? `?${pairs}` : "";
}

function isList(given: Query[string]): given is readonly string[] {
  return Array.isArray(given);
}

function text(value: string | number | boolean | Date): string {
  return value instanceof Date ? value.toISOString() : typeof value === "boolean" ? (value ? "1" : "0") : String(value);
}

export class Transport {
  /** @internal Replaced by tests. */
  backoff: Backoff = REQUESTS;
  /** One for each open request. */
  readonly #requests = new Set<AbortController>();

  /** `timeout`: milliseconds for one attempt of a request, connecting included. */
  constructor(readonly base: string, readonly timeout: number, readonly headers: Record<string, string>) {}

  /** End every open request with `Unavailable`. The transport may be used again. */
  close(): void {
    for (const request of this.#requests) request.abort();
  }

  /**
   * Send the request until it is answered, for `patience` milliseconds at most.
   *
   * Waits between attempts as long as `Retry-After` says, else by the backoff; both with jitter.
   *
   * @throws Unavailable without an answer in that time; InvalidEvent, TooLarge, Conflict, NotFound, NotAllowed, ServiceFault when the
   * service refused the request.
   */
  async exchange(method: string, target: string, patience: number, body?: string): Promise<Answer> {
    const closing = new AbortController();
    this.#requests.add(closing);
    try {
      return await this.#until(performance.now() + patience, closing.signal, (timeout) =>
        this.#try(method, target, body, timeout, closing.signal),
      );
    } catch (error) {
      throw closing.signal.aborted ? closed() : error;
    } finally {
      this.#requests.delete(closing);
    }
  }

  async #until(deadline: number, closing: AbortSignal, attempt: (timeout: number) => Promise<Answer>): Promise<Answer> {
    const delays = this.backoff.delays();
    for (;;) {
      let delay: number;
      try {
        return await attempt(Math.min(this.timeout, Math.max(50, deadline - performance.now())));
      } catch (error) {
        if (!(error instanceof Unavailable || (error instanceof ServiceFault && error.status === 500))) throw error;
        const asked = error instanceof Unavailable ? error.retryAfter : undefined;
        delay = asked === undefined ? delays.next().value : this.backoff.spread(asked);
        if (closing.aborted || performance.now() + delay >= deadline) throw error;
      }
      await sleep(delay, closing);
    }
  }

  async #try(method: string, target: string, body: string | undefined, timeout: number, closing: AbortSignal): Promise<Answer> {
    const trying = new AbortController();
    const abort = (): void => trying.abort();
    const timer = setTimeout(abort, Math.min(timeout, LONGEST_TIMER));
    closing.addEventListener("abort", abort);
    if (closing.aborted) abort();
    const headers = { ...this.headers, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    let response: Response;
    let answer: string;
    try {
      const options: RequestInit = { method, headers, redirect: "manual", cache: "no-store", signal: trying.signal };
      response = await fetch(this.base + target, body === undefined ? options : { ...options, body });
      answer = await response.text();
    } catch (error) {
      throw new Unavailable(
        trying.signal.aborted ? `no answer from ${this.base} within ${timeout / 1000} s` : `cannot reach ${this.base}: ${reason(error)}`,
      );
    } finally {
      clearTimeout(timer);
      closing.removeEventListener("abort", abort);
    }
    if (!response.ok) throw refusal(response.status, answer, response.headers.get("retry-after"));
    return { body: parse(answer), following: NEXT.exec(response.headers.get("link") ?? "")?.[1] };
  }
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch (error) {
    throw new ServiceFault(`the answer is not what the service promises: ${reason(error)}`);
  }
}

/** The error's message, with that of its cause. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The error for an answer with this status. Status 0 is a redirect, which browsers hide. */
export function refusal(status: number, answer: string, retryAfter: string | null = null): SempError {
  const { message, errors } = errorBody(answer) ?? { message: `status ${status}`, errors: [] };
  switch (status) {
    case 400:
    case 415:
    case 422:
      return new InvalidEvent(message, errors);
    case 413:
      return new TooLarge(message, errors);
    case 401:
    case 403:
      return new NotAllowed(message);
    case 404:
    case 405:
      return new NotFound(message);
    case 409:
      return new Conflict(message, errors);
    default:
      if (RETRIED.has(status) && status !== 500) return new Unavailable(message, milliseconds(retryAfter));
      return new ServiceFault(`${status}: ${message}`, status);
  }
}

/** The service's error body; undefined when the answer comes from a proxy and not from the service. */
function errorBody(answer: string): { message: string; errors: FieldError[] } | undefined {
  try {
    const { message, errors } = JSON.parse(answer) as { message?: unknown; errors?: FieldError[] | null };
    return typeof message === "string" ? { message, errors: errors ?? [] } : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` in milliseconds, also when it is a date; undefined when it is neither. */
function milliseconds(text: string | null): number | undefined {
  if (text === null) return undefined;
  const asked = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(0, asked), LONGEST_WAIT);
}

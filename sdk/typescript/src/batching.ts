/** Many small emits in few requests, in the order they were made. */

import { closed } from "./backoff.js";
import { Conflict, InvalidEvent, OutboxFull, SempError, ServiceFault, Unavailable } from "./errors.js";
import { reason, type Transport } from "./transport.js";
import type { Emitted, FieldError } from "./types.js";

/** Most events in one request; the service accepts ten times as many. */
const MOST_EVENTS = 1_000;
/** Most bytes of events in one request, unless it is a single event; the service accepts 32 times as much. */
const MOST_BYTES = 1_000_000;

/** An event as it is sent. */
export interface Encoded {
  text: string;
  bytes: number;
}

interface Pending extends Encoded {
  deadline: number;
  /** To be sent in a request of its own. */
  alone: boolean;
  done: boolean;
  resolve(stored: Emitted): void;
  reject(error: SempError): void;
}

/**
 * Sends events one request at a time. Events emitted during a request go with the next one.
 *
 * A single event is not delayed. One request at a time keeps the order, so that a cause is always stored before its effects. When an
 * event of a batch is refused, only this event fails, and the others are sent again without it.
 */
export class Batcher {
  readonly #transport: Transport;
  readonly #capacity: number;
  #waiting: Pending[] = [];
  #sending: Pending[] = [];
  #working = false;

  /** `capacity`: events that may be pending; further ones are refused. */
  constructor(transport: Transport, capacity: number) {
    this.#transport = transport;
    this.#capacity = capacity;
  }

  /**
   * Send an event and wait for its answer.
   *
   * @throws OutboxFull, synchronously, when the queue is full. Rejects with Unavailable when `patience` milliseconds have passed (the event
   * may have been stored), and with another SempError when it was refused.
   */
  put(event: Encoded, patience: number): Promise<Emitted> {
    if (this.#waiting.length + this.#sending.length >= this.#capacity) {
      throw new OutboxFull(`${this.#capacity} events wait to be sent; no more are taken until some of them are`);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...event, deadline: performance.now() + patience, alone: false, done: false, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  /** Pending events fail with `Unavailable`. */
  close(): void {
    for (const waiting of [...this.#sending, ...this.#waiting.splice(0)]) fail(waiting, closed());
  }

  async #work(): Promise<void> {
    this.#working = true;
    await Promise.resolve(); // so that events emitted by the same synchronous code share a request
    for (;;) {
      this.#sending = this.#take();
      if (this.#sending.length === 0) break;
      await this.#deliver();
    }
    this.#working = false;
  }

  #take(): Pending[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count === MOST_EVENTS || (count > 0 && bytes > MOST_BYTES)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #deliver(): Promise<void> {
    while (this.#sending.length > 0) {
      const now = this.#sending[0]?.alone ? this.#sending.slice(0, 1) : this.#sending;
      const first = Math.min(...now.map((waiting) => waiting.deadline));
      try {
        const answers = await this.#post(now, first - performance.now());
        now.forEach((waiting, index) => store(waiting, answers[index] as Emitted));
      } catch (error) {
        this.#blame(error, now, first);
      }
      this.#sending = this.#sending.filter((waiting) => !waiting.done);
    }
  }

  #blame(error: unknown, now: readonly Pending[], first: number): void {
    if (error instanceof InvalidEvent || error instanceof Conflict) {
      const refused = refusals(error, now);
      now.forEach((waiting, index) => {
        const own = refused.get(index);
        if (own) fail(waiting, own);
        else if (refused.size === 0) waiting.alone = true; // the answer names no event, so they are sent one by one
      });
    } else if (error instanceof Unavailable) {
      // Deadlines within a second end together, else each event of a batch would cost one more request.
      const horizon = Math.max(first, performance.now() + 1_000);
      for (const waiting of now) if (waiting.deadline <= horizon) fail(waiting, error);
    } else {
      const fault = error instanceof SempError ? error : new ServiceFault(`events could not be sent: ${reason(error)}`);
      for (const waiting of now) fail(waiting, fault);
    }
  }

  async #post(now: readonly Pending[], patience: number): Promise<Emitted[]> {
    const [only] = now;
    const alone = now.length === 1 && only !== undefined;
    const body = alone ? only.text : `[${now.map((waiting) => waiting.text).join(",")}]`;
    const answer = await this.#transport.exchange("POST", alone ? "/api/events" : "/api/events/batch", patience, body);
    const found = alone ? [answer.body] : answer.body;
    if (!Array.isArray(found) || found.length !== now.length || !found.every(isStored)) {
      throw new ServiceFault("the answer is not what the service promises: it does not have each event that was sent");
    }
    return found as Emitted[];
  }
}

function isStored(found: unknown): boolean {
  return typeof found === "object" && found !== null && "position" in found && typeof found.position === "number";
}

/** The refused events of a batch: an error for each index; empty when the answer names no event. */
function refusals(error: InvalidEvent | Conflict, batch: readonly Pending[]): Map<number, SempError> {
  if (batch.length === 1) return new Map([[0, error]]);
  const named = new Map<number, FieldError[]>();
  for (const { field, reason } of error.errors) {
    const [start, index] = /^\[(\d+)\]\.?/.exec(field) ?? [];
    if (start === undefined || Number(index) >= batch.length) continue;
    const own = named.get(Number(index)) ?? [];
    named.set(Number(index), [...own, { field: field.slice(start.length), reason }]);
  }
  const kind = error.constructor as typeof InvalidEvent;
  const lead = error instanceof InvalidEvent ? "Validation error: " : "";
  return new Map([...named].map(([index, own]) => [index, new kind(lead + own.map((one) => `${one.field}: ${one.reason}`).join("; "), own)]));
}

function store(waiting: Pending, stored: Emitted): void {
  waiting.done = true;
  waiting.resolve(stored);
}

function fail(waiting: Pending, error: SempError): void {
  waiting.done = true;
  waiting.reject(error);
}

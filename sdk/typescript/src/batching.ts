/** Many small emits in few requests, in the order they were made. */

import { closed } from "./backoff.js";
import { Conflict, InvalidEvent, OutboxFull, SempError, ServiceFault, Unavailable } from "./errors.js";
import { reason, type Transport } from "./transport.js";
import type { Emitted, FieldError } from "./types.js";

/** Events in one request, at most; the service takes ten times as many. */
const MOST_EVENTS = 1_000;
/** Bytes of events in one request, at most, unless it is a single one; the service takes 32 times as much. */
const MOST_BYTES = 1_000_000;

/** An event as it is sent. */
export interface Encoded {
  text: string;
  bytes: number;
}

interface Waiting extends Encoded {
  deadline: number;
  /** To be sent in a request of its own. */
  alone: boolean;
  done: boolean;
  resolve(stored: Emitted): void;
  reject(error: SempError): void;
}

/**
 * Sends events one request at a time; what is emitted while a request is under way goes with the next.
 *
 * A lone event is not held back. One request at a time keeps the order, so that a cause is always stored before its effects. When an
 * event of a batch is refused, it alone fails and the others are sent again without it.
 */
export class Batcher {
  readonly #transport: Transport;
  readonly #capacity: number;
  #waiting: Waiting[] = [];
  #sending: Waiting[] = [];
  #working = false;

  /** `capacity`: events that may wait; beyond it nothing is taken. */
  constructor(transport: Transport, capacity: number) {
    this.#transport = transport;
    this.#capacity = capacity;
  }

  /**
   * Send an event and wait for its answer.
   *
   * @throws OutboxFull, synchronously, when there is no room. Rejects with Unavailable when `patience` milliseconds have passed (the event
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

  /** What waits fails with `Unavailable`. */
  close(): void {
    for (const waiting of [...this.#sending, ...this.#waiting.splice(0)]) fail(waiting, closed());
  }

  async #work(): Promise<void> {
    this.#working = true;
    await Promise.resolve(); // so that what is emitted by the same piece of code goes together
    for (;;) {
      this.#sending = this.#take();
      if (this.#sending.length === 0) break;
      await this.#deliver();
    }
    this.#working = false;
  }

  #take(): Waiting[] {
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

  #blame(error: unknown, now: readonly Waiting[], first: number): void {
    if (error instanceof InvalidEvent || error instanceof Conflict) {
      const refused = refusals(error, now);
      now.forEach((waiting, index) => {
        const own = refused.get(index);
        if (own) fail(waiting, own);
        else if (refused.size === 0) waiting.alone = true; // it does not say which of them, so they go one by one
      });
    } else if (error instanceof Unavailable) {
      // What ends within this second ends now, or each event of a batch would cost a request of its own to end.
      const horizon = Math.max(first, performance.now() + 1_000);
      for (const waiting of now) if (waiting.deadline <= horizon) fail(waiting, error);
    } else {
      const fault = error instanceof SempError ? error : new ServiceFault(`events could not be sent: ${reason(error)}`);
      for (const waiting of now) fail(waiting, fault);
    }
  }

  async #post(now: readonly Waiting[], patience: number): Promise<Emitted[]> {
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

/** Which of the batch were refused, each with an error of its own; empty when it does not say. */
function refusals(error: InvalidEvent | Conflict, batch: readonly Waiting[]): Map<number, SempError> {
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

function store(waiting: Waiting, stored: Emitted): void {
  waiting.done = true;
  waiting.resolve(stored);
}

function fail(waiting: Waiting, error: SempError): void {
  waiting.done = true;
  waiting.reject(error);
}

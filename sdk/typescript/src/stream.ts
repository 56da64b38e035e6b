/** The log as an endless iteration: in order, without gaps or repeats, across reconnects. */

import { RECONNECTS, sleep, type Backoff } from "./backoff.js";
import { Connection, Lost, QUIET, Refused } from "./connection.js";
import { HistoryLost, InvalidEvent, NotAllowed, ProtocolViolation } from "./errors.js";
import type { Message } from "./messages.js";
import { queryString, refusal } from "./transport.js";
import type { Filter, SempEvent, SignalUpdate } from "./types.js";

const BAD_REQUEST = 4000;
const NOT_ALLOWED = 4001;
const TOO_SLOW = 4008;
const CANNOT_RESUME = 4009;

export interface StreamOptions extends Filter {
  /** The position to read on from; 0 is the log's start, nothing is where the log stands when the stream connects. */
  after?: number | undefined;
  /** The log that position belongs to; from `Stream.epoch`. */
  epoch?: string | undefined;
  /**
   * Also give each `SignalUpdate` of a matching scope, right after the event that caused it; of what was missed, the last one of each
   * signal, ahead of the events.
   */
  signals?: boolean | undefined;
  /** What to do when the log was replaced: throw `HistoryLost`, or read the new one from its start. */
  onReset?: "throw" | "restart" | undefined;
}

/** @internal What a client gives its streams. */
export interface Surroundings {
  base: string;
  headers: Record<string, string>;
  log(text: string): void;
  /** Streams that have a connection or try to get one. */
  open: Set<Stream<unknown>>;
  backoff?: Backoff;
  /** Milliseconds of silence after which a connection is given up. */
  quiet?: number;
}

/** Whether something that a stream with `signals` gave is the change of a signal, and no event. */
export function isSignalUpdate(found: SempEvent | SignalUpdate): found is SignalUpdate {
  return "strength" in found;
}

/**
 * Iterate over it with `for await`; leaving the loop closes it.
 *
 * Every event that matches comes exactly once, in the order of the log, whatever happens to the connection: after a break the stream
 * opens a new one (at once when it was merely too slow, else after 1 s, doubling to 30 s) and goes on from its position. A reader that
 * takes its time holds the service back first and is then disconnected by it; that is a break like any other.
 *
 * Without `after`, the first connection decides where it starts. One loop at a time may iterate.
 *
 * Rejects while iterating with HistoryLost (the log is another one than before; with `onReset: "restart"` the new one is read from its
 * start instead), InvalidEvent (the filter was refused), NotAllowed, ProtocolViolation (the service left something out, twice).
 */
export class Stream<T> implements AsyncIterableIterator<T, void, undefined> {
  /** Everything up to here was handed out or is not wanted; undefined before the first connection. */
  position: number | undefined;
  /** The log that positions belong to; undefined before the first connection. */
  epoch: string | undefined;
  /** How often a connection was opened. */
  connections = 0;
  readonly #around: Surroundings;
  readonly #filter: Filter;
  readonly #everything: boolean;
  readonly #signals: boolean;
  readonly #restarts: boolean;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #connecting: Promise<void> | undefined;
  #delays: Iterator<number, never>;
  #gapAt: number | undefined;
  #immediateAt: string | undefined;
  #told = { position: 0, signals: new Set<string>() };

  /** @internal */
  constructor(around: Surroundings, options: StreamOptions) {
    const { scope, type, trace_id, agent_id } = options;
    this.position = options.after;
    this.epoch = options.epoch;
    this.#around = around;
    this.#filter = { scope, type, trace_id, agent_id };
    this.#everything = [scope, type, trace_id, agent_id].every((values) => values === undefined || values.length === 0);
    this.#signals = options.signals ?? false;
    this.#restarts = options.onReset === "restart";
    this.#backoff = around.backoff ?? RECONNECTS;
    this.#delays = this.#backoff.delays();
  }

  /** Whether it was closed, by `close`, by leaving a loop, or with its client. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T, void>> {
    for (;;) {
      if (this.#connection === undefined || this.#connecting !== undefined) await this.connect();
      if (this.#connection === undefined) return { done: true, value: undefined };
      try {
        const found = this.#take(await this.#connection.next());
        if (found !== undefined) return { done: false, value: found as T };
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** What `for await` calls when the loop is left. */
  return(): Promise<IteratorResult<T, void>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Connect if there is no connection; resolves when the service has said where it starts, or the stream was closed. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** Close the connection and end the iteration. Safe to repeat. */
  close(): void {
    this.#closing.abort();
    this.#around.open.delete(this);
    this.#drop();
  }

  async #connect(): Promise<void> {
    this.#around.open.add(this);
    while (this.#connection === undefined && !this.closed) {
      try {
        await this.#open();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async #open(): Promise<void> {
    const { base, headers, quiet = QUIET } = this.#around;
    const { position: after, epoch } = this;
    const query = { ...this.#filter, after, epoch, signals: this.#signals ? 1 : undefined };
    this.#connection = new Connection(quiet);
    const hello = await this.#connection.open(`${base}/api/stream${queryString(query)}`, headers);
    this.connections += 1;
    if ((epoch !== undefined && hello.epoch !== epoch) || (after !== undefined && hello.position > after)) {
      throw this.#historyLost("the service goes on from another place than asked for");
    }
    this.epoch = hello.epoch;
    this.position ??= hello.position;
  }

  #take({ event, data }: Message): SempEvent | SignalUpdate | undefined {
    if (event === "close") {
      const { code, reason } = parse(data ?? "") as { code: number; reason: string };
      throw this.#ended(code, reason);
    }
    const message = data === undefined ? undefined : (parse(data) as { type: string; data: unknown });
    this.#delays = this.#backoff.delays();
    if (message?.type === "event") return this.#takeEvent(message.data as SempEvent);
    return message?.type === "signal" ? this.#takeSignal(message.data as SignalUpdate) : undefined;
  }

  /** What is new. Positions must increase, and follow one another when every event is wanted. */
  #takeEvent(event: SempEvent): SempEvent | undefined {
    const read = this.position ?? 0;
    if (event.position <= read) {
      this.#around.log(`position ${event.position} came again and was dropped`);
      return undefined;
    }
    if (this.#everything && event.position !== read + 1) {
      const gap = `position ${event.position} came right after ${read}`;
      if (this.#gapAt === read) throw new ProtocolViolation(`${gap}, even after a reconnect`);
      this.#gapAt = read;
      throw new Lost(gap, true);
    }
    this.position = event.position;
    return event;
  }

  /** What is new; after a break the service may tell again, and ahead of the events that moved the signals. */
  #takeSignal(signal: SignalUpdate): SignalUpdate | undefined {
    const key = `${signal.scope}:${signal.pattern}`;
    const { position, signals } = this.#told;
    if (signal.position < position || (signal.position === position && signals.has(key))) return undefined;
    if (signal.position > position) this.#told = { position: signal.position, signals: new Set([key]) };
    else signals.add(key);
    return signal;
  }

  /** What follows from the connection's end. */
  #ended(code: number, reason: string): Error {
    switch (code) {
      case BAD_REQUEST:
        return new InvalidEvent(reason);
      case NOT_ALLOWED:
        return new NotAllowed(reason);
      case CANNOT_RESUME:
        return this.#historyLost(reason);
      default:
        return new Lost(`${code} ${reason}`.trim(), code === TOO_SLOW);
    }
  }

  /** What follows from an answer that is no stream. */
  #refused({ status, answer, message }: Refused): Error {
    if (status === 409) return this.#historyLost(message);
    if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) return new Lost(`status ${status}: ${message}`);
    const error = refusal(status, answer);
    if (error instanceof InvalidEvent || error instanceof NotAllowed) return error;
    return new ProtocolViolation(`${this.#around.base} has no stream here: status ${status}`);
  }

  #historyLost(reason: string): Error {
    const { position, epoch } = this;
    if (!this.#restarts) return new HistoryLost(`${reason || "the log is another one"} (this stream was at ${position})`, position, epoch);
    this.position = 0;
    this.epoch = this.#gapAt = undefined;
    this.#told = { position: 0, signals: new Set() };
    return new Lost(`${reason || "the log is another one"}; reading the log from its start`, true);
  }

  /** Wait before the next connection, or throw what cannot get better. A second break without news in between always waits. */
  async #recover(error: unknown): Promise<void> {
    this.#drop();
    if (this.closed) return;
    const lost = error instanceof Refused ? this.#refused(error) : error;
    if (!(lost instanceof Lost)) {
      this.#around.open.delete(this);
      throw lost;
    }
    const place = `${this.epoch}:${this.position}`;
    if (lost.atOnce && this.#immediateAt !== place) {
      this.#immediateAt = place;
      return;
    }
    const delay = this.#delays.next().value;
    this.#around.log(`the stream was lost: ${lost.message}; again in ${(delay / 1000).toFixed(1)} s`);
    await sleep(delay, this.#closing.signal);
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Lost("what came is no message");
  }
}

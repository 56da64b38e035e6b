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
  /** The position to continue from; 0 is the log's start, undefined is where the log stands when the stream connects. */
  after?: number | undefined;
  /** The log that position belongs to; from `Stream.epoch`. */
  epoch?: string | undefined;
  /**
   * Also give each `SignalUpdate` of a matching scope, right after the event that caused it. For missed events only the last update of
   * each signal comes, ahead of the events.
   */
  signals?: boolean | undefined;
  /** What to do when the log was replaced: throw `HistoryLost`, or read the new one from its start. */
  onReset?: "throw" | "restart" | undefined;
}

/** @internal Settings that a client shares with its streams. */
export interface StreamContext {
  base: string;
  headers: Record<string, string>;
  log(text: string): void;
  /** Streams with a connection, or trying to get one. */
  open: Set<Stream<unknown>>;
  backoff?: Backoff;
  /** Milliseconds of silence after which a connection is given up. */
  quiet?: number;
}

/** Whether an item of a stream with `signals` is the change of a signal; otherwise it is an event. */
export function isSignalUpdate(found: SempEvent | SignalUpdate): found is SignalUpdate {
  return "strength" in found;
}

/**
 * Iterate over it with `for await`; leaving the loop closes it.
 *
 * Every matching event comes exactly once, in the order of the log. When the connection breaks, the stream opens a new one and continues
 * from its position: at once if the reader was too slow, else after 1 s, doubling to 30 s. Backpressure: a slow reader first slows the
 * service down; then the service disconnects it, which is a break like any other.
 *
 * Without `after`, the stream starts where the log stands at the first connection. One loop at a time may iterate.
 *
 * Rejects while iterating with HistoryLost (the log was replaced; with `onReset: "restart"` the new one is read from its start instead),
 * InvalidEvent (the filter was refused), NotAllowed, ProtocolViolation (the service left out an event twice).
 */
export class Stream<T> implements AsyncIterableIterator<T, void, undefined> {
  /** Every matching event up to here was returned; undefined before the first connection. */
  position: number | undefined;
  /** The log that positions belong to; undefined before the first connection. */
  epoch: string | undefined;
  /** Number of connections opened so far. */
  connections = 0;
  readonly #context: StreamContext;
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
  #delivered = { position: 0, signals: new Set<string>() };

  /** @internal */
  constructor(context: StreamContext, options: StreamOptions) {
    const { scope, type, trace_id, agent_id } = options;
    this.position = options.after;
    this.epoch = options.epoch;
    this.#context = context;
    this.#filter = { scope, type, trace_id, agent_id };
    this.#everything = [scope, type, trace_id, agent_id].every((values) => values === undefined || values.length === 0);
    this.#signals = options.signals ?? false;
    this.#restarts = options.onReset === "restart";
    this.#backoff = context.backoff ?? RECONNECTS;
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

  /** `for await` calls this when the loop is left. */
  return(): Promise<IteratorResult<T, void>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Connect if there is no connection. Resolves when the service has sent its start position, or the stream was closed. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** Close the connection and end the iteration. Safe to repeat. */
  close(): void {
    this.#closing.abort();
    this.#context.open.delete(this);
    this.#drop();
  }

  async #connect(): Promise<void> {
    this.#context.open.add(this);
    while (this.#connection === undefined && !this.closed) {
      try {
        await this.#open();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async #open(): Promise<void> {
    const { base, headers, quiet = QUIET } = this.#context;
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

  /** The event if it is new. Positions must increase, and must have no gaps when the filter matches every event. */
  #takeEvent(event: SempEvent): SempEvent | undefined {
    const read = this.position ?? 0;
    if (event.position <= read) {
      this.#context.log(`position ${event.position} came again and was dropped`);
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

  /** The signal if it is new. After a break the service may repeat some, and send them ahead of the events that moved them. */
  #takeSignal(signal: SignalUpdate): SignalUpdate | undefined {
    const key = `${signal.scope}:${signal.pattern}`;
    const { position, signals } = this.#delivered;
    if (signal.position < position || (signal.position === position && signals.has(key))) return undefined;
    if (signal.position > position) this.#delivered = { position: signal.position, signals: new Set([key]) };
    else signals.add(key);
    return signal;
  }

  /** The error that fits a close code. */
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

  /** The error that fits an answer without a stream. */
  #refused({ status, answer, message }: Refused): Error {
    if (status === 409) return this.#historyLost(message);
    if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) return new Lost(`status ${status}: ${message}`);
    const error = refusal(status, answer);
    if (error instanceof InvalidEvent || error instanceof NotAllowed) return error;
    return new ProtocolViolation(`${this.#context.base} has no stream here: status ${status}`);
  }

  #historyLost(reason: string): Error {
    const { position, epoch } = this;
    if (!this.#restarts) return new HistoryLost(`${reason || "the log is another one"} (this stream was at ${position})`, position, epoch);
    this.position = 0;
    this.epoch = this.#gapAt = undefined;
    this.#delivered = { position: 0, signals: new Set() };
    return new Lost(`${reason || "the log is another one"}; reading the log from its start`, true);
  }

  /** Wait before the next connection, or throw when a retry cannot help. A second break without a new event in between always waits. */
  async #recover(error: unknown): Promise<void> {
    this.#drop();
    if (this.closed) return;
    const lost = error instanceof Refused ? this.#refused(error) : error;
    if (!(lost instanceof Lost)) {
      this.#context.open.delete(this);
      throw lost;
    }
    const place = `${this.epoch}:${this.position}`;
    if (lost.atOnce && this.#immediateAt !== place) {
      this.#immediateAt = place;
      return;
    }
    const delay = this.#delays.next().value;
    this.#context.log(`the stream was lost: ${lost.message}; again in ${(delay / 1000).toFixed(1)} s`);
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
    throw new Lost("a message is not valid JSON");
  }
}

/** The typed client: emit, read, follow. Its questions about causes are in `causality.ts`. */

import { closed, within, type Backoff } from "./backoff.js";
import { Batcher } from "./batching.js";
import { Causality } from "./causality.js";
import { encode, encodeEvent } from "./encoding.js";
import { InvalidEvent, NotFound, SignalTimeout, type SempError } from "./errors.js";
import { newId } from "./identifiers.js";
import { isSignalUpdate, Stream, type StreamOptions, type StreamContext } from "./stream.js";
import { Trace, type EmitOptions } from "./trace.js";
import { baseOf, queryString, segment, Transport, type Answer, type Query } from "./transport.js";
import type { Emitted, EventsQuery, EventType, Moment, NewEvent, Payloads, SempEvent, Signal, SignalsQuery, SignalUpdate } from "./types.js";

/** Most failures of `emitNowait` that are kept for `flush`. */
const MOST_FAILURES = 100;

export interface ClientOptions {
  /** Agent of events that name none. */
  agent_id?: string;
  /** Milliseconds for which a request is retried while the service cannot be reached or is full; default 60,000. */
  patience?: number;
  /** Milliseconds for one attempt; default 60,000. */
  timeout?: number;
  /** Events that may wait to be sent; default 10,000. Further events are refused. */
  capacity?: number;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Called with warnings: lost streams, events that could not be stored; default `console.warn`. */
  log?: (text: string) => void;
}

/**
 * One queue of events to send, any number of streams. It connects on first use; `close` ends everything.
 *
 * Fields and parameters of the protocol are named as on the wire (`trace_id`). All durations of the client's own are in milliseconds.
 */
export class Client extends Causality {
  readonly url: string;
  readonly agent_id: string | undefined;
  readonly patience: number;
  /** @internal */
  readonly transport: Transport;
  readonly #batcher: Batcher;
  readonly #context: StreamContext;
  readonly #background = new Set<Promise<void>>();
  #failures: SempError[] = [];

  /** @throws TypeError when the URL is invalid. */
  constructor(url = "http://localhost:5000", options: ClientOptions = {}) {
    super();
    const { headers = {}, log = (text) => console.warn(`semp: ${text}`), timeout = 60_000, patience = 60_000, capacity = 10_000 } = options;
    this.url = baseOf(url);
    this.agent_id = options.agent_id;
    this.patience = patience;
    this.transport = new Transport(this.url, timeout, headers);
    this.#batcher = new Batcher(this.transport, capacity);
    this.#context = { base: this.url, headers, log, open: new Set() };
  }

  /** Send the events of `emitNowait`, then close everything. Safe to repeat; the client may be used again. */
  async close(): Promise<void> {
    await Promise.all(this.#background);
    for (const stream of this.#context.open) stream.close();
    this.#batcher.close();
    this.transport.close();
  }

  // Emitting

  /**
   * Emit an event. Events emitted at the same time share requests; their order is kept.
   *
   * The id is made here, so the event is stored once, however often it is sent. A reward or penalty whose payload has `credit:
   * { discount: 0.5, max_depth: 3 }` also moves the signals of proposals further up.
   *
   * Rejects with InvalidEvent, TooLarge or Conflict when it was refused; with OutboxFull when too many events are pending; with Unavailable
   * when the service was away for the client's `patience`. In the last case it may have been stored; emit it again with the same id.
   */
  async emit<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions = {}): Promise<Emitted> {
    return this.#batcher.put(encodeEvent(this.draft(type, scope, payload, options)), this.patience);
  }

  /**
   * The same without waiting. A later failure is logged, and thrown by `flush`.
   *
   * @throws OutboxFull when too many events are pending; InvalidEvent, TooLarge when the client itself sees it.
   */
  emitNowait<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions = {}): NewEvent {
    const event = this.draft(type, scope, payload, options);
    const left = this.#batcher.put(encodeEvent(event), this.patience).then(
      () => undefined,
      (error: unknown) => {
        const failure = error as SempError; // the batcher rejects with nothing else
        this.#context.log(`an event could not be stored: ${failure.message}`);
        if (this.#failures.length < MOST_FAILURES) this.#failures.push(failure);
      },
    );
    this.#background.add(left);
    void left.then(() => this.#background.delete(left));
    return event;
  }

  /** Resolves when every event of `emitNowait` is stored. Rejects with the first failure since the last flush. */
  async flush(): Promise<void> {
    await Promise.all(this.#background);
    const [first] = this.#failures.splice(0);
    if (first) throw first;
  }

  /**
   * The event that `emit` would send now, with its id.
   *
   * @throws InvalidEvent when there is no trace, or no agent.
   */
  draft<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions = {}): NewEvent {
    const { id = newId(), trace_id, agent_id = this.agent_id, parent_ids = [] } = options;
    if (trace_id === undefined) throw missing("trace_id", "give one, or emit by a trace: client.trace(...)");
    if (agent_id === undefined) throw missing("agent_id", "give one, or make the client with one");
    return { id, type, scope, trace_id, agent_id, parent_ids: [...parent_ids], payload } as NewEvent;
  }

  /** `client.trace("checkout-42").emit(...)`: events of one trace, each caused by the one before. Without an id it makes a new one. */
  trace(id: string = newId()): Trace {
    return new Trace(this, id);
  }

  /**
   * What follows from these events, in the trace of the first: how an agent answers an event.
   *
   * @throws TypeError when there is none.
   */
  causedBy(...causes: readonly { id: string; trace_id: string }[]): Trace {
    const [first] = causes;
    if (first === undefined) throw new TypeError("name the events that caused what follows");
    return new Trace(this, first.trace_id, [...new Set(causes.map((cause) => cause.id))]);
  }

  // Reading

  /**
   * Events of the log, newest first unless `order` is asc. `limit`: 1..1000. `before`, `after`: positions, not included.
   *
   * Fewer than `limit` events (100 by default) mean that there are no more.
   */
  async events(query: EventsQuery = {}): Promise<SempEvent[]> {
    const limit = query.limit ?? 100;
    const events: SempEvent[] = [];
    let target: string | undefined = `/api/events${queryString({ ...query })}`;
    while (target !== undefined && events.length < limit) {
      const answer: Answer = await this.ask("GET", target); // a page may be short, or empty, although more follow
      events.push(...(answer.body as SempEvent[]));
      target = answer.following;
    }
    return events.slice(0, limit);
  }

  /** Rejects with NotFound when there is none. */
  async event(id: string): Promise<SempEvent> {
    return (await this.get(`/api/events/${segment(id)}`)) as SempEvent;
  }

  /** Live signals, strongest first, decayed to now, or as they were `at` a moment. `scope` may be a glob. */
  async signals(query: SignalsQuery = {}): Promise<Signal[]> {
    return (await this.get("/api/signals", { ...query })) as Signal[];
  }

  /** One signal, now or as it was `at` a moment; undefined when there never was one, or it has faded. */
  async signal(scope: string, pattern: string, query: { at?: Moment } = {}): Promise<Signal | undefined> {
    try {
      return (await this.get(`/api/signals/${segment(scope)}/${segment(pattern)}`, query)) as Signal;
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  /**
   * Resolves with the signal as soon as it is stronger than `above` (0.7), at once when it is.
   *
   * Rejects with SignalTimeout when it did not become that strong within `timeout` milliseconds; without one it waits for ever.
   */
  async waitForSignal(scope: string, pattern: string, options: { above?: number; timeout?: number } = {}): Promise<Signal> {
    const { above = 0.7, timeout = Infinity } = options;
    const changes = this.stream({ scope, signals: true, onReset: "restart" });
    const late = (): Error => new SignalTimeout(`the signal ${scope}:${pattern} did not rise above ${above} within ${timeout} ms`);
    try {
      return await within(timeout, this.#strongerThan(above, scope, pattern, changes), late);
    } finally {
      changes.close();
    }
  }

  async #strongerThan(above: number, scope: string, pattern: string, changes: Stream<SempEvent | SignalUpdate>): Promise<Signal> {
    await changes.connect(); // before the signal is read, so that nothing falls between the two
    const found = changes.closed ? undefined : await this.signal(scope, pattern);
    if (found && found.strength > above) return found;
    for await (const change of changes) {
      if (isSignalUpdate(change) && change.scope === scope && change.pattern === pattern && change.strength > above) return change;
    }
    throw closed();
  }

  // Following

  /**
   * Events as they are committed, each once, in order, across reconnects: `for await (const event of client.stream({ scope: "ui.**" }))`.
   *
   * With `signals: true` changes of signals too; `isSignalUpdate` tells which is which.
   */
  stream(options: StreamOptions & { signals: true }): Stream<SempEvent | SignalUpdate>;
  stream(options?: StreamOptions & { signals?: false }): Stream<SempEvent>;
  stream(options: StreamOptions = {}): Stream<SempEvent> | Stream<SempEvent | SignalUpdate> {
    return new Stream(this.#context, options);
  }

  // Requests

  /** The answer to any GET of the service, such as `/api/traces`. */
  async get(path: string, query: Query = {}): Promise<unknown> {
    return (await this.ask("GET", path + queryString(query))).body;
  }

  protected override ask(method: string, target: string, body?: unknown): Promise<Answer> {
    return this.transport.exchange(method, target, this.patience, body === undefined ? undefined : encode("body", body));
  }

  /** @internal For tests. */
  set reconnects(backoff: Backoff) {
    this.#context.backoff = backoff;
  }
}

function missing(field: string, reason: string): InvalidEvent {
  return new InvalidEvent(`${field}: ${reason}`, [{ field, reason }]);
}

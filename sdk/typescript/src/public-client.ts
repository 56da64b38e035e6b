/** The client of the public SEL/SEMP documents: `SEMPClient`. */

import { within } from "./backoff.js";
import { Client, type ClientOptions } from "./client.js";
import { Unavailable, type SempError } from "./errors.js";
import { isSignalUpdate, type Stream } from "./stream.js";
import { segment } from "./transport.js";
import type { Emitted, EventType, SempEvent, Signal, SignalUpdate } from "./types.js";

/** An event as in the public documents. `id`: a UUID of your own; made here unless given. */
export interface EventToCreate {
  type: EventType;
  scope: string;
  trace_id: string;
  agent_id: string;
  payload: Record<string, unknown>;
  parent_ids?: readonly string[] | null;
  id?: string;
}

/** Names for `on`: all events, events of one type, changes of signals, and the end of live delivery. */
export interface Occasions extends Record<EventType, SempEvent> {
  event: SempEvent;
  signal: SignalUpdate;
  error: SempError;
}

type Handler = (found: never) => unknown;

/**
 * Every method rejects with a `SempError` when the service refuses a request or cannot be reached. Requests are retried for a minute. Ids
 * of events are made here, so no event is stored twice.
 */
export class SEMPClient {
  /** The typed client underneath. */
  readonly client: Client;
  readonly #handlers = new Map<keyof Occasions, Handler[]>();
  #stream: Stream<SempEvent | SignalUpdate> | undefined;

  constructor(url = "http://localhost:5000", options: ClientOptions = {}) {
    this.client = new Client(url, options);
  }

  /** Store an event; the stored one, with `id`, `timestamp`, `position` and the `signals` it moved. Events created at the same time share requests. */
  async createEvent(event: EventToCreate): Promise<Emitted> {
    const { type, scope, payload, parent_ids, ...rest } = event;
    return this.client.emit(type, scope, payload, { ...rest, parent_ids: parent_ids ?? [] });
  }

  /** The newest 100 events, newest first. */
  async getEvents(): Promise<SempEvent[]> {
    return this.client.events();
  }

  /** The newest 100 events of exactly this scope, newest first. */
  async getEventsByScope(scope: string): Promise<SempEvent[]> {
    return (await this.client.get(`/api/events/scope/${segment(scope)}`)) as SempEvent[];
  }

  /** All live signals, strongest first. */
  async getSignals(): Promise<Signal[]> {
    return this.client.signals();
  }

  /** One signal; undefined when there never was one, or it has faded. */
  async getSignal(scope: string, pattern: string): Promise<Signal | undefined> {
    return this.client.signal(scope, pattern);
  }

  /**
   * Call the handler for every event (`"event"`), for events of a type (`"proposal"`, ...), for every change of a signal (`"signal"`), or
   * with the error that ended live delivery (`"error"`).
   *
   * The first call starts live delivery, as `connect` does. Handlers run one after the other in the order of the log; each waits until the
   * promise of the one before has settled. Errors of handlers are logged.
   */
  on<K extends keyof Occasions>(name: K, handler: (found: Occasions[K]) => unknown): this {
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), handler]);
    this.#follow();
    return this;
  }

  /**
   * Start live delivery of every event committed from now on, each exactly once. Resolves once the service delivers.
   *
   * A broken connection is opened again after 1 s, doubling to 30 s, and delivery continues where it stopped. When the log was replaced,
   * delivery starts at the beginning of the new one. Rejects with Unavailable when the service could not be reached within `timeout`
   * milliseconds; the client keeps trying until `close`.
   */
  async connect(timeout = 30_000): Promise<void> {
    await within(timeout, this.#follow().connect(), () => new Unavailable(`${this.client.url} could not be reached within ${timeout} ms`));
  }

  /** End live delivery and close everything; a running handler ends by itself. Safe to repeat; the client may be used again. */
  async close(): Promise<void> {
    this.#stream?.close();
    this.#stream = undefined;
    await this.client.close();
  }

  #follow(): Stream<SempEvent | SignalUpdate> {
    if (this.#stream === undefined) {
      this.#stream = this.client.stream({ signals: true, onReset: "restart" });
      void this.#deliver(this.#stream);
    }
    return this.#stream;
  }

  async #deliver(stream: Stream<SempEvent | SignalUpdate>): Promise<void> {
    try {
      for await (const found of stream) {
        if (isSignalUpdate(found)) await this.#call("signal", found);
        else {
          await this.#call("event", found);
          await this.#call(found.type, found);
        }
      }
    } catch (error) {
      await this.#call("error", error as SempError);
    }
    if (this.#stream === stream) this.#stream = undefined;
  }

  async #call<K extends keyof Occasions>(name: K, found: Occasions[K]): Promise<void> {
    const handlers = this.#handlers.get(name) ?? [];
    if (name === "error" && handlers.length === 0) console.error("semp: live delivery has ended:", found);
    for (const handler of handlers) {
      try {
        await (handler as (found: Occasions[K]) => unknown)(found);
      } catch (error) {
        console.error("semp: a handler failed:", error);
      }
    }
  }
}

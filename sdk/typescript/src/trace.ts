/** Traces: events that share a trace id, each with the parents that the trace keeps. */

import type { Emitted, EventType, NewEvent, Payloads } from "./types.js";

/** Most parents of an event. */
const MOST_PARENTS = 64;

/** Fields of an event besides its type, scope and payload. */
export interface EmitOptions {
  /** The trace it belongs to; required, except for events that a `Trace` emits. */
  trace_id?: string | undefined;
  /** Agent of the event; the client's unless given. */
  agent_id?: string | undefined;
  /** Ids of the events that caused this one. */
  parent_ids?: readonly string[] | undefined;
  /** A UUID of your own, to emit an event again that may have been stored. Made here unless given. */
  id?: string | undefined;
}

/** @internal What a trace needs of its client. */
export interface Emits {
  emit<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions): Promise<Emitted>;
  emitNowait<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions): NewEvent;
}

/**
 * Its events belong to the trace, and each follows from the events before it.
 *
 * Events emitted at the same time (`Promise.all`) have the same parents, and the next event follows from all of them. Use `branch` for
 * parallel work that later events here do not follow from.
 */
export class Trace {
  readonly #client: Emits;
  #parents: readonly string[];
  /** Parents of the events that are the current parents. */
  #before: readonly string[] = [];

  /** @internal */
  constructor(client: Emits, readonly id: string, parents: readonly string[] = []) {
    this.#client = client;
    this.#parents = parents;
  }

  /** Ids of the events that the next one follows from; the newest 64 where there are more. */
  get parents(): readonly string[] {
    return this.#parents;
  }

  /** `Client.emit` in this trace. */
  async emit<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions = {}): Promise<Emitted> {
    const causes = this.#parents;
    const emitted = await this.#client.emit(type, scope, payload, this.#here(options));
    this.#follow(emitted.id, causes);
    return emitted;
  }

  /** `Client.emitNowait` in this trace. */
  emitNowait<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions = {}): NewEvent {
    const event = this.#client.emitNowait(type, scope, payload, this.#here(options));
    this.#follow(event.id, this.#parents);
    return event;
  }

  /** A copy that continues from here. Its events are not parents of later events of this one. */
  branch(): Trace {
    return new Trace(this.#client, this.id, this.#parents);
  }

  #here(options: EmitOptions): EmitOptions {
    return { parent_ids: this.#parents, ...options, trace_id: this.id };
  }

  #follow(id: string, causes: readonly string[]): void {
    if (this.#parents === causes) {
      this.#before = causes;
      this.#parents = [id];
    } else if (this.#before === causes) {
      this.#parents = [...this.#parents, id].slice(-MOST_PARENTS);
    }
  }
}

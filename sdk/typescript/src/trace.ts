/** Which trace an event belongs to and what caused it, without naming either each time. */

import type { Emitted, EventType, NewEvent, Payloads } from "./types.js";

/** Causes of an event, at most. */
const MOST_PARENTS = 64;

/** What an event says besides its type, scope and payload. */
export interface EmitOptions {
  /** The piece of work this belongs to; required, but for what a `Trace` emits. */
  trace_id?: string | undefined;
  /** Who emits; the client's unless given. */
  agent_id?: string | undefined;
  /** Ids of the events that caused this one. */
  parent_ids?: readonly string[] | undefined;
  /** A UUID of one's own, to emit again what may have been stored. Made here unless given. */
  id?: string | undefined;
}

/** @internal What a trace needs of its client. */
export interface Emits {
  emit<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions): Promise<Emitted>;
  emitNowait<T extends EventType>(type: T, scope: string, payload: Payloads[T], options: EmitOptions): NewEvent;
}

/**
 * Everything emitted by it belongs to the trace, and is caused by what it emitted before.
 *
 * Events emitted at the same time (`Promise.all`) have the same causes, and what comes after them is caused by all of them. `branch` is
 * for work that goes its own way.
 */
export class Trace {
  readonly #client: Emits;
  #parents: readonly string[];
  /** What those events had as causes that are the causes now. */
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

  /** The same trace from here on; what it emits is no cause of what this one emits afterwards. */
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

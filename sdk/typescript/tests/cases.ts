/** The conformance cases and how one is run; works in Node and in a page, see contract/conformance/README.md. */

import { Backoff } from "../dist/backoff.js";
import { Client } from "../dist/client.js";
import { InvalidEvent, SempError } from "../dist/errors.js";
import { isSignalUpdate, Stream, type StreamOptions, type Surroundings } from "../dist/stream.js";
import type { EventType, NewEvent, SempEvent, SignalUpdate } from "../dist/types.js";

/** Times that waits are shorter in these tests than they are recorded. */
const FASTER = 2_000;
const SIGNAL = { id: "i", scope: "s", pattern: "x", strength: 0.5, last_updated: "x", alpha: 1.2, lambda: 0.95 };

export interface Failure {
  error: string;
  message?: string;
  errors?: string[];
}

export type Answer = "stored" | "lost" | "silent" | { status?: number; headers?: Record<string, string>; body: unknown };
export type Step =
  | (number | object)[] | "cut" | "garbage" | "silent" | { hello: number; epoch: string } | { signals: [number, string][] }
  | { close: number; reason?: string } | { status: number };

interface Asking {
  name: string;
  answers: Answer[];
  patience?: number;
  timeout?: number;
  waits: number[];
}
export interface RequestCase extends Asking {
  call: string;
  of?: unknown[];
  with?: Record<string, unknown>;
  each?: boolean;
  asked: string[];
  bodies?: unknown[];
  gives?: unknown;
  fails?: Failure;
}
export interface BatchCase extends Asking {
  waves: (number | Record<string, unknown>)[][];
  sent: number[][];
  outcomes?: Record<string, Failure>;
}
export interface StreamCase {
  name: string;
  options?: StreamOptions & { on_reset?: "restart" };
  quiet?: number;
  connections: Step[][];
  asked: Record<string, string[]>[];
  gives: (number | [number, string])[];
  waits: number[];
  fails?: Failure;
  ends?: { position: number; epoch: string };
}

/** What a run has shown of the client; plain JSON, so that it may come from a page. */
export interface Shown {
  found: unknown;
  failure?: Failure | undefined;
  waits: number[];
  ends?: { position: number | undefined; epoch: string | undefined };
}

export function identity(number: number): string {
  return `00000000-0000-0000-0000-${number.toString(16).padStart(12, "0")}`;
}

export function stored(number: number, fields: object = {}): Record<string, unknown> {
  return {
    id: identity(number), type: "ready", scope: "s", trace_id: "t", agent_id: "a", parent_ids: [], timestamp: "2025-01-15T10:30:00.000Z",
    payload: { status: "x" }, position: number, ...fields,
  };
}

export function moved(position: number, pattern: string): object {
  return { ...SIGNAL, pattern, position };
}

/** The value with its shorthands written out. */
export function whole(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== "object" || value === null) return value;
  const { $id, $event, $signal, ...others } = value as Record<string, unknown>;
  const fields = Object.fromEntries(Object.entries(others).map(([key, item]) => [key, whole(item)]));
  if (typeof $id === "number") return identity($id);
  if (typeof $event === "number") return stored($event, fields);
  return $signal === undefined ? fields : { ...SIGNAL, pattern: $signal, ...fields };
}

/** Delays of a backoff without jitter, written down in seconds and then made short. */
class Recorder extends Backoff {
  readonly waits: number[] = [];

  constructor(first: number, most: number) {
    super(first, most, 0);
  }

  override spread(delay: number): number {
    this.waits.push(delay / 1000);
    return delay / FASTER;
  }
}

function shownFailure(error: unknown): Failure {
  if (!(error instanceof SempError)) throw error;
  const errors = error instanceof InvalidEvent || "errors" in error ? (error as InvalidEvent).errors.map(({ field }) => field) : [];
  return { error: error.name, message: error.message, errors };
}

function clientFor(url: string, { patience = 60, timeout = 30 }: Asking): [Client, Recorder] {
  const client = new Client(url, { patience: patience * 1000, timeout: timeout * 1000 });
  const recorder = new Recorder(100, 10_000);
  client.transport.backoff = recorder;
  return [client, recorder];
}

type Method = (...given: unknown[]) => PromiseLike<unknown> & AsyncIterable<unknown>;

export async function runRequest(url: string, given: RequestCase): Promise<Shown> {
  const [client, { waits }] = clientFor(url, given);
  const name = given.call.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const places = whole(given.of ?? []) as unknown[];
  const named = given.with === undefined ? [] : [whole(given.with)];
  try {
    const call = (client as unknown as Record<string, Method>)[name] as Method;
    const asked = call.apply(client, name === "commonCauses" ? [places, ...named] : [...places, ...named]);
    const found: unknown = given.each ? await all(asked) : ((await asked) ?? null);
    return { found, waits };
  } catch (error) {
    return { found: null, failure: shownFailure(error), waits };
  } finally {
    await client.close();
  }
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export async function runBatch(url: string, given: BatchCase): Promise<Shown> {
  const [client, { waits }] = clientFor(url, given);
  const emits: Promise<unknown>[] = [];
  for (const wave of given.waves) {
    for (const item of wave) {
      const { type, scope, payload, ...rest } = (typeof item === "number" ? stored(item) : whole(item)) as unknown as NewEvent;
      const { id, trace_id, agent_id, parent_ids } = rest;
      const emitted = client.emit<EventType>(type, scope, payload, { id, trace_id, agent_id, parent_ids });
      emits.push(emitted.then((event) => ({ id, stored: event.id === id }), (error: unknown) => ({ id, failure: shownFailure(error) })));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const found = await Promise.all(emits);
  await client.close();
  return { found, waits };
}

function surroundings(base: string, backoff: Backoff): Surroundings {
  return { base, headers: {}, log: () => undefined, open: new Set(), backoff };
}

/** Reads one event and then nothing for a second. */
export async function runSlowly(url: string): Promise<Shown> {
  const backoff = new Recorder(1_000, 30_000);
  const stream = new Stream<SempEvent>(surroundings(url, backoff), {});
  const { value } = await stream.next();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  stream.close();
  return { found: value?.position, waits: backoff.waits };
}

export async function runStream(url: string, given: StreamCase): Promise<Shown> {
  const backoff = new Recorder(1_000, 30_000);
  const { on_reset: onReset, ...options } = given.options ?? {};
  const around = surroundings(url, backoff);
  const stream = new Stream<SempEvent | SignalUpdate>(
    given.quiet === undefined ? around : { ...around, quiet: given.quiet * 1000 }, onReset === undefined ? options : { ...options, onReset },
  );
  const found: unknown[] = [];
  const shown = (): Shown => ({ found, waits: backoff.waits, ends: { position: stream.position, epoch: stream.epoch } });
  try {
    while (given.fails !== undefined || found.length < given.gives.length) {
      const { done, value } = await stream.next();
      if (done) break;
      found.push(isSignalUpdate(value) ? [value.position, value.pattern] : value.position);
    }
    return shown();
  } catch (error) {
    return { ...shown(), failure: shownFailure(error) };
  } finally {
    stream.close();
  }
}

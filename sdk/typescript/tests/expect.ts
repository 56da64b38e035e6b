/** What tests expect, for Node and pages alike. */

import { newId, type SempError } from "../dist/index.js";

export function equal(found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

export function ok(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export async function rejects<T extends SempError>(work: Promise<unknown>, kind: abstract new (...given: never[]) => T): Promise<T> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof kind) return error;
  throw new Error(`${String(error)} is no ${kind.name}`);
}

export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it did not come to be: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function fresh(): string {
  return `live-${newId()}`;
}

export function stored({ signals: _, moved: __, ...event }: { signals?: unknown; moved?: unknown }): object {
  return event;
}

export function sorted(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Events as JSON, and what JSON cannot hold. */

import type { Encoded } from "./batching.js";
import { InvalidEvent, TooLarge } from "./errors.js";
import { reason } from "./transport.js";
import type { NewEvent } from "./types.js";

/** Bytes of an event; the service refuses 1 MiB without reading it, which looks like a broken connection from here. */
const MOST_BODY = 1_048_000;
const encoder = new TextEncoder();

/**
 * A value as JSON.
 *
 * @throws InvalidEvent, which names the `field`, when it is none: a bigint, a circle, or a number that is not finite.
 */
export function encode(field: string, value: unknown): string {
  try {
    return JSON.stringify(value, finite);
  } catch (error) {
    throw new InvalidEvent(`${field}: cannot be written as JSON: ${reason(error)}`, [{ field, reason: reason(error) }]);
  }
}

/**
 * The event as the service reads it.
 *
 * @throws InvalidEvent when its payload is no JSON; TooLarge when it is larger than any event may be.
 */
export function encodeEvent(event: NewEvent): Encoded {
  const text = encode("payload", event);
  const bytes = encoder.encode(text).length;
  if (bytes > MOST_BODY) {
    throw new TooLarge(`${bytes} bytes, the limit is ${MOST_BODY}`, [{ field: "body", reason: `${bytes} bytes` }]);
  }
  return { text, bytes };
}

function finite(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("JSON has no NaN and no infinity");
  return value;
}

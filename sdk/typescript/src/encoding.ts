/** Events as JSON, with checks for values that JSON cannot represent. */

import type { Encoded } from "./batching.js";
import { InvalidEvent, TooLarge } from "./errors.js";
import { reason } from "./transport.js";
import type { NewEvent } from "./types.js";

/** Largest event in bytes. The service refuses 1 MiB without reading it, which the client would see as a broken connection. */
const MOST_BODY = 1_048_000;
const encoder = new TextEncoder();

/**
 * A value as JSON.
 *
 * @throws InvalidEvent, which names the `field`, when JSON cannot represent it: a bigint, a circle, or a number that is not finite.
 */
export function encode(field: string, value: unknown): string {
  try {
    return JSON.stringify(value, finite);
  } catch (error) {
    throw new InvalidEvent(`${field}: cannot be written as JSON: ${reason(error)}`, [{ field, reason: reason(error) }]);
  }
}

/**
 * The event as JSON.
 *
 * @throws InvalidEvent when JSON cannot represent its payload; TooLarge when it is larger than `MOST_BODY`.
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

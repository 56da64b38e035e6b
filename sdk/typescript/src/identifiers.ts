/** Ids, made by the client so that every request is safe to repeat. */

let last = 0n;

/**
 * A UUID of version 7: 48 bits of milliseconds, then 74 random ones (RFC 9562, section 5.7).
 *
 * Ids of one page or process increase strictly, also within a millisecond and when the clock is set back: a later id is the last one
 * plus a random step.
 */
export function newId(): string {
  const drawn = (BigInt(Date.now()) << 74n) | (random(10) & ((1n << 74n) - 1n));
  last = drawn > last ? drawn : last + 1n + random(4);
  const upper = (last >> 62n) & 0xfffn;
  const lower = last & ((1n << 62n) - 1n);
  const text = (((last >> 74n) << 80n) | (0x7n << 76n) | (upper << 64n) | (0b10n << 62n) | lower).toString(16).padStart(32, "0");
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

function random(bytes: number): bigint {
  let number = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) number = (number << 8n) | BigInt(byte);
  return number;
}

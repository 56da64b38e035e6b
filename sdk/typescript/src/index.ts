/**
 * The TypeScript client of SEL/SEMP.
 *
 * `Client` is the typed client; `SEMPClient` is the small client of the public SEL/SEMP documents.
 */

export { Backoff } from "./backoff.js";
export { Client, type ClientOptions } from "./client.js";
export { SEMPClient, type EventToCreate, type Occasions } from "./public-client.js";
export {
  Conflict, HistoryLost, InvalidEvent, NotAllowed, NotFound, OutboxFull, ProtocolViolation, SempError, ServiceFault, SignalTimeout, TooLarge,
  Unavailable,
} from "./errors.js";
export { newId } from "./identifiers.js";
export type { components, operations, paths } from "./openapi.js";
export type { Pages } from "./pages.js";
export { isSignalUpdate, type Stream, type StreamOptions } from "./stream.js";
export type { EmitOptions, Trace } from "./trace.js";
export type * from "./types.js";

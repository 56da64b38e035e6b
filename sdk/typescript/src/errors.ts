/** What can go wrong; all of it is a `SempError`. */

import type { FieldError } from "./types.js";

/** Base of every error of this package. */
export class SempError extends Error {
  override readonly name: string = "SempError";
}

class Refused extends SempError {
  /** The fields to blame, empty when it is none in particular. */
  readonly errors: FieldError[];

  constructor(message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.errors = [...errors];
  }
}

/** What was sent was refused (400) and nothing was written. `errors` names the fields. */
export class InvalidEvent extends Refused {
  override readonly name: string = "InvalidEvent";
}

/** It is beyond one of the documented sizes (413). */
export class TooLarge extends InvalidEvent {
  override readonly name: string = "TooLarge";
}

/** The id is taken by an event or node with other content (409). */
export class Conflict extends Refused {
  override readonly name: string = "Conflict";
}

/** There is no such thing (404). */
export class NotFound extends SempError {
  override readonly name: string = "NotFound";
}

/** The service does not let this client do that (401, 403). */
export class NotAllowed extends SempError {
  override readonly name: string = "NotAllowed";
}

/** The service failed on this request (500), or answered what it never should. Its log has the details. */
export class ServiceFault extends SempError {
  override readonly name: string = "ServiceFault";

  constructor(message: string, readonly status?: number) {
    super(message);
  }
}

/**
 * The service could not be reached, or had no room, for as long as the client was told to try.
 *
 * An event that was being sent may have been stored: emit it again with the same id, which is always safe.
 */
export class Unavailable extends SempError {
  override readonly name: string = "Unavailable";

  /** `retryAfter`: milliseconds the service asked to wait, undefined when it did not say. */
  constructor(message: string, readonly retryAfter?: number) {
    super(message);
  }
}

/** More events wait to be sent than the client may hold. Nothing was taken. */
export class OutboxFull extends Unavailable {
  override readonly name: string = "OutboxFull";
}

/**
 * The log cannot be read on from where the reader stands: it is another log, or that part of it is gone.
 *
 * Read the state again (signals, recent events), then start from the new log's position.
 */
export class HistoryLost extends SempError {
  override readonly name: string = "HistoryLost";

  /** Where the reader stood. */
  constructor(message: string, readonly position?: number, readonly epoch?: string) {
    super(message);
  }
}

/** The service broke what it promises, for instance left out a position, even after a reconnect. */
export class ProtocolViolation extends SempError {
  override readonly name: string = "ProtocolViolation";
}

/** The signal did not become strong enough in time. */
export class SignalTimeout extends SempError {
  override readonly name: string = "SignalTimeout";
}

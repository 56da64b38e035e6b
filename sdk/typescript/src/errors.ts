/** What can go wrong; all of it is a `SempError`. */

import type { FieldError } from "./types.js";

/** Base of every error of this package. */
export class SempError extends Error {
  override readonly name: string = "SempError";
}

class Refused extends SempError {
  /** The invalid fields; empty when no field is to blame. */
  readonly errors: FieldError[];

  constructor(message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.errors = [...errors];
  }
}

/** The service refused the request (400) and wrote nothing. `errors` names the fields. */
export class InvalidEvent extends Refused {
  override readonly name: string = "InvalidEvent";
}

/** The request is larger than a documented limit (413). */
export class TooLarge extends InvalidEvent {
  override readonly name: string = "TooLarge";
}

/** An event or node with this id and other content exists (409). */
export class Conflict extends Refused {
  override readonly name: string = "Conflict";
}

/** It does not exist (404). */
export class NotFound extends SempError {
  override readonly name: string = "NotFound";
}

/** The service does not let this client do that (401, 403). */
export class NotAllowed extends SempError {
  override readonly name: string = "NotAllowed";
}

/** The service failed on this request (500), or sent an invalid answer. Its log has the details. */
export class ServiceFault extends SempError {
  override readonly name: string = "ServiceFault";

  constructor(message: string, readonly status?: number) {
    super(message);
  }
}

/**
 * The service could not be reached, or was full, for the whole `patience` of the client.
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

/** Too many events wait to be sent. This one was not accepted. */
export class OutboxFull extends Unavailable {
  override readonly name: string = "OutboxFull";
}

/**
 * The log cannot be read from the reader's position on: the log was replaced, or that part of it is gone.
 *
 * Read the state again (signals, recent events), then start from the new log's position.
 */
export class HistoryLost extends SempError {
  override readonly name: string = "HistoryLost";

  /** `position`, `epoch`: the reader's position. */
  constructor(message: string, readonly position?: number, readonly epoch?: string) {
    super(message);
  }
}

/** The service broke the protocol: for instance it left out a position, even after a reconnect. */
export class ProtocolViolation extends SempError {
  override readonly name: string = "ProtocolViolation";
}

/** The signal did not become strong enough in time. */
export class SignalTimeout extends SempError {
  override readonly name: string = "SignalTimeout";
}

/** One connection to `/api/stream`: opened, read message by message, given up when it is silent. */

import { ProtocolViolation } from "./errors.js";
import { MessageReader, type Message } from "./messages.js";
import { reason, refusal } from "./transport.js";

/** Milliseconds within which the service must send a stream's start position. */
const CONNECT_WITHIN = 20_000;
/** Milliseconds without a byte after which a connection is given up. The service sends something every 15 s. */
export const QUIET = 40_000;
/** Longest message in characters; the largest event is a fortieth of it. */
const LONGEST = 64 * 1024 * 1024;

/** The connection is lost. `atOnce`: a new one may be opened without waiting. */
export class Lost extends Error {
  constructor(reason: string, readonly atOnce = false) {
    super(reason);
  }
}

/** The service refused the stream with this status. */
export class Refused extends Error {
  constructor(readonly status: number, readonly answer: string) {
    super(refusal(status, answer).message);
  }
}

/** Reads the body of a fetch, which gives backpressure: the service is slowed down while nothing is read. */
export class Connection {
  readonly #controller = new AbortController();
  readonly #messages = new MessageReader();
  readonly #quiet: number;
  readonly #decoder = new TextDecoder();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #pending: Message[] = [];

  constructor(quiet: number) {
    this.#quiet = quiet;
  }

  /**
   * Connect. Returns the service's start position.
   *
   * @throws Lost, Refused; ProtocolViolation when the service sends no start position.
   */
  async open(url: string, headers: Record<string, string>): Promise<{ epoch: string; position: number }> {
    const response = await this.#within(CONNECT_WITHIN, () =>
      fetch(url, { headers: { accept: "text/event-stream", ...headers }, cache: "no-store", signal: this.#controller.signal }),
    );
    if (!response.ok) throw new Refused(response.status, await this.#within(CONNECT_WITHIN, () => response.text()));
    if (response.body === null || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw new Lost("the answer is no stream");
    }
    this.#reader = response.body.getReader();
    const { id = "", data } = await this.next(CONNECT_WITHIN);
    const [, epoch, position] = /^(.+):(\d+)$/.exec(id) ?? [];
    if (epoch === undefined || data !== undefined) {
      throw new ProtocolViolation("the service sent no start position; it is older than this client needs");
    }
    return { epoch, position: Number(position) };
  }

  /** The next message. @throws Lost */
  async next(quiet = this.#quiet): Promise<Message> {
    for (;;) {
      const found = this.#pending.shift();
      if (found) return found;
      const { done, value } = await this.#within(quiet, () => this.#reader?.read() ?? Promise.reject(new Lost("not open")));
      if (done) throw new Lost("the connection ended");
      this.#pending = this.#messages.take(this.#decoder.decode(value, { stream: true }));
      if (this.#messages.held > LONGEST) throw new ProtocolViolation(`one message is longer than ${LONGEST} characters`);
    }
  }

  /** Close the connection; pending reads end with `Lost`. Safe to repeat. */
  close(): void {
    this.#controller.abort();
  }

  async #within<T>(milliseconds: number, wait: () => Promise<T>): Promise<T> {
    const silence = new Lost(`nothing came for ${milliseconds / 1000} s`);
    const timer = setTimeout(() => this.#controller.abort(silence), milliseconds);
    try {
      return await wait();
    } catch (error) {
      throw this.#controller.signal.reason === silence ? silence : new Lost(reason(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

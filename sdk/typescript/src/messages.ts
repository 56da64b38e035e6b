/** A parser of server-sent events, as `/api/stream` sends them. */

/** The fields between two blank lines; a comment alone gives a message without `data` and `id`. */
export interface Message {
  event: string;
  data?: string;
  id?: string;
}

/** Parses text that arrives in pieces, cut anywhere. */
export class MessageReader {
  #rest = "";
  #message: Message = { event: "message" };

  /** Number of characters of the unfinished last line. */
  get held(): number {
    return this.#rest.length;
  }

  /** The messages that this piece completes. */
  take(piece: string): Message[] {
    const found: Message[] = [];
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text !== "") {
        this.#read(text);
      } else {
        found.push(this.#message);
        this.#message = { event: "message" };
      }
    }
    return found;
  }

  #read(line: string): void {
    const colon = line.indexOf(":");
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    switch (colon < 0 ? line : line.slice(0, colon)) {
      case "event":
        this.#message.event = value;
        break;
      case "id":
        this.#message.id = value;
        break;
      case "data":
        this.#message.data = this.#message.data === undefined ? value : `${this.#message.data}\n${value}`;
        break;
      default: // a comment, or `retry`, which is for browsers' own EventSource
    }
  }
}

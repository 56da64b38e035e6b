/** Server-sent events, as `/api/stream` sends them, taken apart. */

/** What stands between two blank lines; a comment alone has nothing of it. */
export interface Message {
  event: string;
  data?: string;
  id?: string;
}

/** Makes messages of text that arrives in pieces, wherever it is cut. */
export class MessageReader {
  #rest = "";
  #message: Message = { event: "message" };

  /** Characters that have arrived of a line that is not whole yet. */
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

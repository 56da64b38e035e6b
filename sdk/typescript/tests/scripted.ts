/** A service that says what a conformance case wants, and remembers what it was asked. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { moved, stored, whole, type Answer, type Step } from "./cases.js";

export interface Running {
  url: string;
  close(): Promise<void>;
}

export type Handle = (request: IncomingMessage, response: ServerResponse, body: string) => void | Promise<void>;

/** A server on a free port. No connection is used twice, so that no client repeats a request by itself. */
export async function serve(handle: Handle): Promise<Running> {
  const server: Server = createServer((request, response) => {
    response.setHeader("connection", "close");
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => void handle(request, response, Buffer.concat(pieces).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Gives the answers one after the other. `slow`: the first takes a while. */
export class Answering {
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  readonly #answers: Answer[];
  readonly #slow: boolean;

  constructor(answers: readonly Answer[], slow = false) {
    this.#answers = [...answers];
    this.#slow = slow;
  }

  readonly handle: Handle = async (request, response, text) => {
    this.asked.push(`${request.method} ${request.url}`);
    const sent: unknown = text === "" ? null : JSON.parse(text);
    this.bodies.push(sent);
    const answer = this.#answers.shift() ?? { status: 500, body: "no more was expected" };
    if (this.#slow && this.asked.length === 1) await pause(500);
    if (answer === "silent") return;
    if (answer === "lost") {
      request.socket.destroy();
      return;
    }
    const { status = 200, headers = {}, body } = answer === "stored" ? { status: 201, body: storedAll(sent) } : answer;
    const given = whole(body);
    response.writeHead(status, headers).end(typeof given === "string" ? given : JSON.stringify(given));
  };
}

function storedAll(sent: unknown): unknown {
  const place = (event: object, index: number): object => ({ ...stored(0), ...event, position: index + 1, signals: [] });
  return Array.isArray(sent) ? sent.map(place) : place(sent as object, 0);
}

/** Status of HTTP for a close that comes before the service has said where it starts. */
const STATUS: Record<number, number> = { 4000: 400, 4001: 403, 4009: 409, 1013: 503 };

/** Speaks as `/api/stream` does, connection by connection. */
export class Streaming {
  readonly asked: Record<string, string[]>[] = [];
  readonly #connections: Step[][];

  constructor(connections: readonly Step[][]) {
    this.#connections = [...connections];
  }

  readonly handle: Handle = async (request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://x");
    this.asked.push(Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)])));
    const steps = this.#connections.shift() ?? [{ status: 500 }];
    const [first] = steps;
    if (typeof first === "object" && "status" in first) {
      response.writeHead(first.status).end();
    } else if (typeof first === "object" && "close" in first) {
      response.writeHead(STATUS[first.close] ?? 500).end(JSON.stringify({ message: first.reason ?? "" }));
    } else {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const hello = steps.find((step) => typeof step === "object" && "epoch" in step);
      for (const step of steps) await say(step, response, hello?.epoch ?? "e");
    }
  };
}

async function say(step: Step, response: ServerResponse, epoch: string): Promise<void> {
  const message = (position: number, type: string, data: object): string =>
    `id: ${epoch}:${position}\ndata: ${JSON.stringify({ type, data })}\n\n`;
  if (step === "garbage") response.write("data: {\n\n");
  else if (step === "cut") {
    response.write('id: e:2\ndata: {"type":"event","data":{"id');
    await pause(50);
    response.destroy();
  } else if (step === "silent") return;
  else if (Array.isArray(step)) {
    const events = step.map((one) => (typeof one === "number" ? stored(one) : (whole(one) as Record<string, unknown>)));
    response.write(events.map((event) => message(event.position as number, "event", event)).join(""));
  }
  else if ("hello" in step) response.write(`retry: 1000\nid: ${epoch}:${step.hello}\n\n`);
  else if ("signals" in step) response.write(step.signals.map(([at, pattern]) => message(at, "signal", moved(at, pattern))).join(""));
  else if ("close" in step) response.end(`event: close\ndata: ${JSON.stringify({ code: step.close, reason: step.reason ?? "", position: 0 })}\n\n`);
}

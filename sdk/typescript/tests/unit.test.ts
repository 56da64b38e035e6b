/** Parts of the client alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, within } from "../dist/backoff.js";
import { Client } from "../dist/client.js";
import { InvalidEvent, SempError, TooLarge, Unavailable } from "../dist/errors.js";
import { MessageReader } from "../dist/messages.js";
import { Trace } from "../dist/trace.js";
import { segment } from "../dist/transport.js";
import type { Emitted } from "../dist/types.js";
import { serve } from "./scripted.js";

test("messages are the same wherever their text is cut", () => {
  const text = "retry: 1000\nid: e:4\n\n:\n\nid: e:5\r\ndata: {\"a\":\r\ndata:1}\r\n\r\nevent: close\ndata: x\ndata\n\n";
  const expected = [
    { event: "message", id: "e:4" }, { event: "message" }, { event: "message", id: "e:5", data: '{"a":\n1}' }, { event: "close", data: "x\n" },
  ];
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 7) {
      const reader = new MessageReader();
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      assert.deepEqual(pieces.flatMap((piece) => reader.take(piece)), expected);
      assert.equal(reader.held, 0);
    }
  }
});

test("delays double up to the most, each up to the jitter longer", () => {
  const delays = new Backoff(100, 350, 0.5).delays();
  for (const least of [100, 200, 350, 350]) {
    const { value } = delays.next();
    assert.ok(value >= least && value <= least * 1.5, `${value}`);
  }
});

test("time that is out is told, time without end is not", async () => {
  const never = new Promise<never>(() => undefined);
  await assert.rejects(within(10, never, () => new Unavailable("late")), /late/);
  assert.equal(await within(Infinity, Promise.resolve(1), () => new Unavailable("late")), 1);
  assert.equal(await within(1e12, new Promise((resolve) => setTimeout(resolve, 10, 2)), () => new Unavailable("late")), 2);
});

test("what cannot stand in a path is not asked for as something else", () => {
  for (const text of [".", ".."]) assert.throws(() => segment(text), InvalidEvent);
  assert.equal(segment("../x"), "..%2Fx");
});

test("errors are of their class, by name as well", () => {
  const error = new Unavailable("away", 1_000);
  assert.ok(error instanceof SempError && error instanceof Error);
  assert.deepEqual([error.name, error.retryAfter, String(error)], ["Unavailable", 1_000, "Unavailable: away"]);
});

test("of very many events at the same time the newest 64 are the causes of what follows", async () => {
  let n = 0;
  const emit = (): Promise<Emitted> => Promise.resolve({ id: String(n++) } as Emitted);
  const trace = new Trace({ emit, emitNowait: () => assert.fail() }, "t");
  await Promise.all(Array.from({ length: 100 }, () => trace.emit("ready", "s", { status: "x" })));
  assert.deepEqual(trace.parents, Array.from({ length: 64 }, (_, index) => String(index + 36)));
});

test("what overtakes within a trace does not make the newest forgotten", async () => {
  const answers: (() => void)[] = [];
  let n = 0;
  const emit = (): Promise<Emitted> => {
    const id = String(n++);
    return new Promise((resolve) => answers.push(() => resolve({ id } as Emitted)));
  };
  const trace = new Trace({ emit, emitNowait: () => assert.fail() }, "t");
  const slow = trace.emit("ready", "s", { status: "0" });
  const quick = trace.emit("ready", "s", { status: "1" });
  answers[1]?.();
  await quick;
  const next = trace.emit("ready", "s", { status: "2" });
  answers[2]?.();
  await next;
  answers[0]?.();
  await slow;
  assert.deepEqual(trace.parents, ["2"]);
});

test("an answer to nothing is refused", () => {
  assert.throws(() => new Client().causedBy(), TypeError);
});

test("what is too large for any service is not sent", () => {
  const client = new Client("http://127.0.0.1:9", { agent_id: "a" });
  assert.throws(() => client.emitNowait("ready", "s", { status: "x".repeat(1_048_000) }, { trace_id: "t" }), TooLarge);
});

test("a signal is read once its changes are followed, so that none falls between", async () => {
  const asked: string[] = [];
  const service = await serve(({ url = "" }, response) => {
    asked.push(url.split("?")[0] as string);
    if (!url.startsWith("/api/stream")) response.writeHead(404).end("{}");
    else {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      setTimeout(() => {
        asked.push("hello");
        response.write("id: e:0\n\n");
      }, 200);
    }
  });
  const client = new Client(service.url);
  await assert.rejects(client.waitForSignal("s", "x", { timeout: 1_000 }), /within 1000 ms/);
  assert.deepEqual(asked, ["/api/stream", "hello", "/api/signals/s/x"]);
  await service.close();
});

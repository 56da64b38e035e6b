/** Runs every conformance case, wherever the client is, and compares. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type BatchCase, type Failure, identity, type RequestCase, type Shown, stored, type StreamCase, whole } from "./cases.js";
import { Answering, type Handle, Streaming } from "./scripted.js";

/** Runs a function of `cases.ts` against a server that answers like this. */
export type Run = (handle: Handle, name: "runRequest" | "runBatch" | "runStream" | "runSlowly", given: object) => Promise<Shown>;

export function load<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../../contract/conformance/${name}.json`, import.meta.url), "utf8")) as T[];
}

/** Define the tests. */
export function conformance(run: Run): void {
  suite("requests", () => {
    for (const given of load<RequestCase>("requests")) {
      test(given.name, async () => {
        const service = new Answering(given.answers);
        const shown = await run(service.handle, "runRequest", given);
        assert.deepEqual(service.asked.map(target), given.asked.map(target));
        if (given.bodies) says(service.bodies, whole(given.bodies));
        alike(shown, given);
        if (!given.fails) says(shown.found, whole(given.gives));
      });
    }
  });

  suite("batches", () => {
    for (const given of load<BatchCase>("batches")) {
      test(given.name, async () => {
        const service = new Answering(given.answers, given.waves.length > 1);
        const shown = await run(service.handle, "runBatch", given);
        const sent = service.bodies.map((body) => (Array.isArray(body) ? body : [body]) as { id: string }[]);
        assert.deepEqual(sent.map((events) => events.map(({ id }) => parseInt(id.slice(-12), 16))), given.sent);
        assert.deepEqual(shown.waits, given.waits);
        for (const { id, failure } of shown.found as { id: string; failure?: Failure }[]) {
          const expected = Object.entries(given.outcomes ?? {}).find(([number]) => identity(Number(number)) === id)?.[1];
          fails(failure, expected);
        }
      });
    }
  });

  suite("streams", () => {
    for (const given of load<StreamCase>("streams")) {
      test(given.name, async () => {
        const service = new Streaming(given.connections);
        const shown = await run(service.handle, "runStream", given);
        assert.deepEqual(shown.found, given.gives);
        assert.deepEqual(service.asked, given.asked);
        alike(shown, given);
        if (given.ends) assert.deepEqual(shown.ends, given.ends);
      });
    }
  });
}

/** Define the test of a reader that takes its time. */
export function pressure(run: Run): void {
  test("a reader that takes its time holds the service back", async () => {
    let position = 0;
    let written = 0;
    const shown = await run((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("id: e:0\n\n");
      const more = (): void => {
        for (let room = true; room && !response.destroyed && written < 500e6; ) {
          position += 1;
          const event = stored(position, { payload: { status: "x", long: "x".repeat(50_000) } });
          const text = `id: e:${position}\ndata: ${JSON.stringify({ type: "event", data: event })}\n\n`;
          written += text.length;
          room = response.write(text);
        }
      };
      response.on("drain", more);
      more();
    }, "runSlowly", {});
    assert.equal(shown.found, 1);
    assert.ok(written < 100e6, `${written} bytes were taken`);
  });
}

function alike(shown: Shown, given: { waits: number[]; fails?: Failure }): void {
  assert.deepEqual(shown.waits, given.waits);
  fails(shown.failure, given.fails);
}

function fails(found: Failure | undefined, expected: Failure | undefined): void {
  assert.equal(found?.error, expected?.error, found?.message);
  assert.ok((found?.message ?? "").includes(expected?.message ?? ""), found?.message);
  if (expected?.errors) assert.deepEqual(found?.errors, expected.errors);
}

/** What was found says what was expected, and perhaps more. */
function says(found: unknown, expected: unknown, at = "it"): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(found) && found.length === expected.length, `${at}: ${JSON.stringify(found)}`);
    expected.forEach((item, index) => says(found[index], item, `${at}[${index}]`));
  } else if (typeof expected === "object" && expected !== null) {
    assert.ok(typeof found === "object" && found !== null, at);
    for (const [key, item] of Object.entries(expected)) says((found as Record<string, unknown>)[key], item, `${at}.${key}`);
  } else assert.equal(found, expected, at);
}

/** A request as its decoded path segments and its parameters. */
function target(text: string): [string[], Record<string, string[]>] {
  const [path = "", query = ""] = text.split("?");
  const parameters = new URLSearchParams(query);
  return [path.split("/").map(decodeURIComponent), Object.fromEntries([...parameters.keys()].sort().map((name) => [name, parameters.getAll(name)]))];
}

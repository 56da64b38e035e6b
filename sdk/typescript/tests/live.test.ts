/** The client and the real service, in Node. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../dist/index.js";
import { fresh } from "./expect.js";
import { scenarios } from "./live.js";
import { serve } from "./scripted.js";

const SEMP_URL = process.env.SEMP_URL ?? "http://localhost:5000";

for (const [name, scenario] of Object.entries(scenarios)) test(name, () => scenario(SEMP_URL));

test("what was committed though its answer was lost is stored once, in order", async () => {
  const trace_id = fresh();
  let lost = 2;
  const sizes: number[] = [];
  const proxy = await serve(async (request, response, body) => {
    const answer = await fetch(SEMP_URL + (request.url ?? ""), { method: "POST", headers: { "content-type": "application/json" }, body });
    const text = await answer.text();
    sizes.push((JSON.parse(body) as unknown[]).length);
    if (lost-- > 0) request.socket.destroy();
    else response.writeHead(answer.status).end(text);
  });
  const client = new Client(proxy.url, { agent_id: "tester" });
  const sent = await Promise.all(Array.from({ length: 2_500 }, (_, n) => client.emit("ready", "s", { status: String(n) }, { trace_id })));
  await client.close();
  await proxy.close();
  assert.deepEqual(sizes, [1_000, 1_000, 1_000, 1_000, 500]);
  const found: string[] = [];
  for await (const { id } of new Client(SEMP_URL).stream({ trace_id, after: (sent[0]?.position ?? 0) - 1 })) {
    if (found.push(id) === sent.length) break;
  }
  assert.deepEqual(found, sent.map(({ id }) => id));
});

test("many requests at the same time make Node complain of nothing", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on("warning", note);
  const client = new Client(SEMP_URL, { agent_id: "tester" });
  const streams = Array.from({ length: 20 }, () => client.stream());
  await Promise.all(streams.map((stream) => stream.connect()));
  await Promise.all(Array.from({ length: 100 }, () => client.signals()));
  await client.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  assert.deepEqual(warnings, []);
});

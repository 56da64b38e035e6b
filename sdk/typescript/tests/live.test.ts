/** The client and the real service, in Node. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../dist/index.js";
import { fresh } from "./expect.js";
import { scenarios } from "./live.js";
import { serve } from "./scripted.js";

const SEMP_URL = process.env["SEMP_URL"] ?? "http://localhost:5000";

for (const [name, scenario] of Object.entries(scenarios)) test(name, () => scenario(SEMP_URL));

test("what was committed though its answer was lost is stored once, in order", async () => {
  const trace_id = fresh();
  let lost = 2;
  const proxy = await serve(async (request, response, body) => {
    const answer = await fetch(SEMP_URL + (request.url ?? ""), { method: "POST", headers: { "content-type": "application/json" }, body });
    const text = await answer.text();
    if (lost-- > 0) request.socket.destroy();
    else response.writeHead(answer.status).end(text);
  });
  const client = new Client(proxy.url, { agent_id: "tester" });
  const sent = await Promise.all(Array.from({ length: 50 }, (_, n) => client.emit("ready", "s", { status: String(n) }, { trace_id })));
  await client.close();
  await proxy.close();
  const found = await new Client(SEMP_URL).events({ trace_id, order: "asc" });
  assert.deepEqual(found.map(({ id }) => id), sent.map(({ id }) => id));
});

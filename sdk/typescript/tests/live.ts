/** What the client does with the real service; each scenario works in Node and in a page, and throws when it fails. */

import {
  Client, Conflict, InvalidEvent, isSignalUpdate, newId, NotFound, SEMPClient, SignalTimeout, TooLarge, Unavailable, type SempEvent,
} from "../dist/index.js";
import { equal, fresh, ok, rejects, sorted, stored, until } from "./expect.js";

export const scenarios: Record<string, (url: string) => Promise<void>> = {
  async "the client of the public documents"(url) {
    const scope = fresh();
    const client = new SEMPClient(url);
    const heard: SempEvent[] = [];
    const proposals: number[] = [];
    const signals: number[] = [];
    client.on("event", (event) => heard.push(event)).on("proposal", (event) => proposals.push(event.position));
    client.on("signal", (signal) => signals.push(signal.strength));
    client.on("reward", async (event) => {
      await client.createEvent({ ...ready, parent_ids: [event.id] });
    });
    await client.connect();
    const ready = { type: "ready", scope, trace_id: "t", agent_id: "a", payload: { status: "thanks" } } as const;

    const event = await client.createEvent({ type: "proposal", scope, trace_id: "trace-001", agent_id: "my-agent", payload: { action: "improve_ux" } });
    equal(event.signals, [{ scope, pattern: "improve_ux", before: 0, after: 0.3 }]);
    const reward = await client.createEvent({
      type: "reward", scope, trace_id: "trace-001", agent_id: "critic", parent_ids: [event.id], payload: { value: 0.5, "α": 1.3 },
    });
    await until(() => heard.length === 3 && signals.length === 3);
    equal(heard.slice(0, 2).map(sorted), [event, reward].map(stored).map(sorted));
    equal([heard[2]?.type, heard[2]?.parent_ids], ["ready", [reward.id]]);
    equal(proposals, [event.position]);
    ok(Math.abs((signals[1] ?? 0) - 0.95) < 0.01, "0.3 and 0.5 times 1.3, less a moment's decay");

    equal((await client.getEvents()).slice(0, 3), [...heard].reverse());
    equal((await client.getEventsByScope(scope)).map(({ id }) => id), heard.map(({ id }) => id).reverse());
    const signal = await client.getSignal(scope, "improve_ux");
    ok((await client.getSignals()).some(({ id }) => id === signal?.id), "it is among all");
    equal(await client.getSignal(scope, "never"), undefined);
    await client.close();
  },

  async "a handler is called though nobody connects, as the public documents have it"(url) {
    const scope = fresh();
    const ready = { type: "ready", scope, trace_id: "t", agent_id: "a", payload: { status: "x" } } as const;
    const client = new SEMPClient(url);
    await client.createEvent(ready);
    const heard: string[] = [];
    const sent: string[] = [];
    client.on("event", (event) => event.scope === scope && heard.push(event.id));
    for (const deadline = Date.now() + 20_000; heard.length === 0 && Date.now() < deadline; ) {
      sent.push((await client.createEvent(ready)).id);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    sent.push((await client.createEvent(ready)).id);
    await until(() => heard.at(-1) === sent.at(-1));
    equal(heard, sent.slice(sent.indexOf(heard[0] as string)));
    await client.close();
  },

  async "a handler that throws, and closing and connecting within a handler, hurt nobody"(url) {
    const client = new SEMPClient(url);
    const heard: string[] = [];
    const complain = console.error;
    console.error = () => heard.push("complaint");
    client.on("event", () => {
      throw new Error("broken");
    });
    client.on("event", async (event) => {
      heard.push(event.id);
      await client.close();
      await client.connect();
      heard.push("anew");
    });
    await client.connect();
    const other = new Client(url, { agent_id: "a" });
    const event = await other.emit("ready", "s", { status: "x" }, { trace_id: "t" });
    await until(() => heard.length === 3);
    const next = await other.emit("ready", "s", { status: "x" }, { trace_id: "t" });
    await until(() => heard.length === 6);
    console.error = complain;
    equal(heard, ["complaint", event.id, "anew", "complaint", next.id, "anew"]);
    await client.close();
  },

  async "what is emitted is stored, answered and read"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "tester" });
    const first = await client.emit("proposal", scope, { action: "x", ü: [1, 1.5, null] }, { trace_id: "t" });
    const second = await client.emit("reward", scope, { value: 0.5 }, { trace_id: "t", agent_id: "critic", parent_ids: [first.id] });
    equal([second.agent_id, second.parent_ids, second.signals.map(({ pattern }) => pattern)], ["critic", [first.id], ["x"]]);
    equal(sorted(await client.event(first.id)), sorted(stored(first)));
    equal((await client.events({ scope, order: "asc" })).map(({ id }) => id), [first.id, second.id]);
    equal((await client.events({ scope, type: ["reward", "test"] })).map(({ id }) => id), [second.id]);
    equal((await client.signals({ scope })).map(({ pattern }) => pattern), ["x"]);
    equal((await client.signal(scope, "x", { at: first.position }))?.strength, 0.3);
    equal((await client.signal(scope, "x", { at: new Date(first.timestamp) }))?.strength !== undefined, true);
    await client.emit("proposal", scope, { action: "a/b? #%41ü" }, { trace_id: "t" });
    equal((await client.signal(scope, "a/b? #%41ü"))?.pattern, "a/b? #%41ü");
    await client.close();
  },

  async "refusals are typed and name the field"(url) {
    const client = new Client(url, { agent_id: "tester" });
    const given = { trace_id: "t" };
    equal((await rejects(client.emit("reward", "s", { value: 7 }, given), InvalidEvent)).errors.map(({ field }) => field), ["payload.value"]);
    await rejects(client.emit("ready", "s", { status: "x".repeat(300_000) }, given), TooLarge);
    await rejects(client.emit("ready", "s", { status: "x".repeat(3_000_000) }, given), TooLarge);
    await rejects(client.emit("ready", "s", { status: "x", deep: [{ a: NaN }] }, given), InvalidEvent);
    await rejects(client.emit("ready", "s", { status: "x", big: 1n }, given), InvalidEvent);
    const { id } = await client.emit("ready", "s", { status: "x" }, given);
    equal((await client.emit("ready", "s", { status: "x" }, { ...given, id })).signals, []);
    await rejects(client.emit("ready", "s", { status: "y" }, { ...given, id }), Conflict);
    await rejects(client.event(newId()), NotFound);
    await rejects(client.stream({ scope: "***" }).next(), InvalidEvent);
    await client.close();
    await rejects(new Client("http://127.0.0.1:9", { patience: 300 }).signals(), Unavailable);
  },

  async "many emits keep their order"(url) {
    const trace_id = fresh();
    const client = new Client(url, { agent_id: "tester" });
    const sent = await Promise.all(Array.from({ length: 2_500 }, (_, n) => client.emit("ready", "s", { status: String(n) }, { trace_id })));
    const [first] = sent;
    equal(sent.map(({ position }) => position), sent.map((_, n) => (first?.position ?? 0) + n));
    await client.close();
  },

  async "what is emitted without waiting is stored by flush, which tells what was not"(url) {
    const trace_id = fresh();
    const client = new Client(url, { agent_id: "tester", capacity: 5, log: () => undefined });
    const left = [1, 2, 3].map((n) => client.emitNowait("ready", "s", { status: String(n) }, { trace_id }));
    await client.flush();
    equal((await client.events({ trace_id, order: "asc" })).map(({ id }) => id), left.map(({ id }) => id));
    client.emitNowait("reward", "s", { value: 7 }, { trace_id });
    await rejects(client.flush(), InvalidEvent);
    await client.flush();
    for (let n = 0; n < 5; n += 1) client.emitNowait("ready", "s", { status: "x" }, { trace_id });
    await rejects(client.emit("ready", "s", { status: "x" }, { trace_id }), Unavailable);
    await client.close();
    equal((await client.events({ trace_id })).length, 8);
  },

  async "a stream gives what matches, and goes on where it was left"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "tester" });
    const stream = client.stream({ scope: `${scope}.**`, type: ["ready", "test"] });
    await stream.connect();
    const trace = client.trace();
    const wanted = [await trace.emit("ready", `${scope}.a`, { status: "1" }), await trace.emit("test", `${scope}.b.c`, { status: "passed" })];
    await trace.emit("proposal", `${scope}.a`, { action: "x" });
    await trace.emit("ready", scope, { status: "not below it" });
    wanted.push(await trace.emit("ready", `${scope}.a`, { status: "line\nbreak, ünïcödé 🐜" }));
    for await (const event of stream) {
      equal(sorted(event), sorted(stored(wanted[0] ?? {})));
      break;
    }
    equal((await stream.next()).done, true);
    equal(stream.position, wanted[0]?.position);
    const { position: after, epoch } = stream;
    const found: SempEvent[] = [];
    for await (const event of client.stream({ scope: `${scope}.**`, type: ["ready", "test"], after, epoch })) {
      if (found.push(event) === 2) break;
    }
    equal(found.map(sorted), wanted.slice(1).map(stored).map(sorted));
    await client.close();
  },

  async "a long history is read whole, in order"(url) {
    const client = new Client(url, { agent_id: "tester" });
    const trace_id = fresh();
    const long = "ü".repeat(5_000);
    const sent = await Promise.all(Array.from({ length: 400 }, (_, n) => client.emit("ready", "s", { status: "x", long, n }, { trace_id })));
    let n = 0;
    for await (const event of client.stream({ trace_id, after: 0 })) {
      equal([event.id, event.payload.n, event.payload.long === long], [sent[n]?.id, n, true]);
      n += 1;
      if (n === sent.length) break;
    }
    await client.close();
  },

  async "changes of signals come right after their events"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "tester" });
    const stream = client.stream({ scope, signals: true });
    await stream.connect();
    const trace = client.trace();
    await trace.emit("proposal", scope, { action: "x" });
    await trace.emit("reward", scope, { value: 0.5 });
    const found: unknown[] = [];
    for await (const item of stream) {
      found.push(isSignalUpdate(item) ? [item.pattern, item.position] : item.position);
      if (found.length === 4) break;
    }
    const [first] = found as [number];
    equal(found, [first, ["x", first], found[2], ["x", found[2]]]);
    await client.close();
  },

  async "a signal is waited for"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "tester" });
    const waiting = client.waitForSignal(scope, "release", { timeout: 20_000 });
    const late = rejects(client.waitForSignal(scope, "release", { above: 0.99, timeout: 400 }), SignalTimeout);
    const trace = client.trace();
    await trace.emit("proposal", scope, { action: "release" });
    await trace.emit("reward", scope, { value: 0.5 });
    equal((await waiting).strength > 0.7, true);
    await late;
    equal((await client.waitForSignal(scope, "release")).pattern, "release");
    const closing = rejects(client.waitForSignal(scope, "release", { above: 0.999 }), Unavailable);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.close();
    await closing;
  },

  async "closing ends everything at once, also what waits for its next try"(url) {
    const began = Date.now();
    for (const client of [new Client(url), new Client("http://127.0.0.1:9", { log: () => undefined })]) {
      const reading = client.stream().next();
      const signal = client.waitForSignal("s", fresh());
      const asking = client.url === "http://127.0.0.1:9" ? client.signals() : Promise.reject(new Unavailable("x"));
      const ended = [rejects(signal, Unavailable), rejects(asking, Unavailable)];
      await new Promise((resolve) => setTimeout(resolve, 300));
      await client.close();
      equal((await reading).done, true);
      await Promise.all(ended);
    }
    ok(Date.now() - began < 10_000, "at once");
  },

  async "a trace tells what caused what"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "lead" });
    const trace = client.trace();
    const plan = await trace.emit("proposal", scope, { action: "divide" });
    const [one, two] = await Promise.all([
      trace.emit("ready", scope, { status: "1" }), trace.emit("ready", scope, { status: "2" }, { agent_id: "helper" }),
    ]);
    const branch = trace.branch();
    const joined = await trace.emit("test", scope, { status: "passed" });
    const aside = branch.emitNowait("test", scope, { status: "running" });
    const after = branch.emitNowait("test", scope, { status: "failed" });
    const reward = await client.causedBy(joined, after, joined).emit("reward", scope, { value: 0.4 });
    const events = await client.events({ trace_id: trace.id, order: "asc" });
    equal(Object.fromEntries(events.map(({ id, parent_ids }) => [id, parent_ids])), {
      [plan.id]: [], [one.id]: [plan.id], [two.id]: [plan.id], [joined.id]: [one.id, two.id], [aside.id]: [one.id, two.id], [after.id]: [aside.id],
      [reward.id]: [joined.id, after.id],
    });
    await client.close();
  },

  async "causes, and the past of signals"(url) {
    const scope = fresh();
    const client = new Client(url, { agent_id: "critic" });
    const trace = client.trace();
    const idea = await trace.emit("proposal", scope, { action: "index" });
    const detail = await trace.emit("proposal", scope, { action: "cache" });
    const reward = await trace.emit("reward", scope, { value: 0.5, credit: { discount: 0.5 } });
    equal(reward.signals.map(({ pattern, share }) => [pattern, share ?? 1]).sort(), [["cache", 1], ["index", 0.5]]);
    const page = await client.ancestors(reward.id, { limit: 1, payload: true });
    equal([page.count, page.truncated, page.nodes.map(({ id, depth, payload }) => [id, depth, payload])], [2, true, [[detail.id, 1, { action: "cache" }]]]);
    const depths: number[] = [];
    for await (const cause of client.ancestors(reward.id, { limit: 1 })) depths.push(cause.depth);
    equal(depths, [1, 2]);
    equal((await client.roots(reward.id)).nodes.map(({ id }) => id), [idea.id]);
    equal((await client.impact(idea.id)).nodes.map(({ id }) => id), [reward.id]);
    equal((await client.descendants(idea.id, { type: "reward" })).count, 1);
    equal((await client.lineage(detail.id)).nodes.map(({ relation }) => relation), ["ancestor", "descendant"]);
    equal((await client.paths(idea.id, reward.id)).shortest, [idea.id, detail.id, reward.id]);
    equal((await client.commonCauses([detail.id, reward.id])).nodes.map(({ id }) => id), [detail.id]);
    equal((await client.traceSummary(trace.id)).critical_path.count, 3);
    equal((await client.traceGraph(trace.id)).edges.length, 2);
    equal((await client.traces({ limit: 1 }))[0]?.trace_id, trace.id);

    const why = await client.explain(scope, "index");
    const last = why.events.at(-1);
    equal(why.strength, (last?.after ?? 0) + why.decay);
    const newest = (await client.explain(scope, "cache", { at: reward.position, order: "desc" })).events[0];
    equal([newest?.id, newest?.change.toFixed(6)], [reward.id, "0.600000"]);
    const supposed = await client.whatIf({ drop: [reward.id], add: [client.draft("penalty", scope, { action: "cache", value: 0.1 }, { trace_id: "t" })] });
    equal(supposed.signals.map(({ pattern, strength, actual }) => [pattern, strength < actual]).sort(), [["cache", true], ["index", true]]);

    const file = await client.createNode("file", { path: "search.py" });
    equal((await client.link(file.id, detail.id, "changed_by")).edges, [{ to: detail.id, type: "changed_by" }]);
    equal((await client.node(file.id)).data, { path: "search.py" });
    equal((await client.provenance(file.id)).nodes.map(({ id }) => id), [detail.id, idea.id]);
    equal((await client.nodeDescendants(file.id, { edge: "changed_by" })).nodes.map(({ id }) => id), [detail.id, reward.id]);
    equal((await client.nodesOf(detail.id)).map(({ edge }) => edge), ["changed_by"]);
    await client.close();
  },

  "ids are of version 7 and increase"() {
    const ids = Array.from({ length: 10_000 }, newId);
    ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)), "their form");
    equal([...ids].sort(), ids);
    ok(Math.abs(parseInt(newId().replace("-", "").slice(0, 12), 16) - Date.now()) < 5_000, "their time");
    return Promise.resolve();
  },
};

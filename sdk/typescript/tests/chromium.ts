/** A headless Chromium, spoken to over a pipe (Chrome DevTools Protocol, one JSON text and a zero byte a message). */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** The browser's program, undefined where there is none. */
export const PROGRAM = NAMES.find((name) => spawnSync("which", [name]).status === 0);

interface Reply {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export class Chromium {
  readonly #home = mkdtempSync(join(tmpdir(), "semp-chromium-"));
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;
  #session: string | undefined;

  constructor(program: string) {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe"];
    this.#process = spawn(program, [...flags, `--user-data-dir=${this.#home}`], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    (this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const replies = (rest + text).split("\0");
      rest = replies.pop() ?? "";
      for (const reply of replies.map((one) => JSON.parse(one) as Reply)) {
        if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
      }
    });
    this.#process.on("exit", () => {
      for (const answer of this.#waiting.values()) answer({ error: { message: "the browser has ended" } });
    });
  }

  /** Open a page. */
  async open(url: string): Promise<void> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    this.#session = (await this.#send("Target.attachToTarget", { targetId, flatten: true })).sessionId as string;
    await this.#send("Page.enable", {});
    await this.#send("Page.navigate", { url });
  }

  /** What an expression in the page has as its value, of a promise what it is fulfilled with. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const thrown = answer.exceptionDetails as { text: string; exception?: { description?: string } } | undefined;
    if (thrown) throw new Error(thrown.exception?.description ?? thrown.text);
    return (answer.result as { value: T }).value;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.#send("Browser.close", {}).catch(() => this.#process.kill("SIGKILL"));
    await ended;
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }

  async #send(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const session = this.#session === undefined || method.startsWith("Browser.") ? {} : { sessionId: this.#session };
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
    this.#waiting.delete(id);
    if (reply.error) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result ?? {};
  }
}

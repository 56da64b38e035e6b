/** The conformance cases and the real service, in a page of a headless Chromium. */

import { readFileSync } from "node:fs";
import { request as forward } from "node:http";
import { after, before, suite, test } from "node:test";
import type { Shown } from "./cases.js";
import { Chromium, PROGRAM } from "./chromium.js";
import { conformance, pressure, type Run } from "./conformance.js";
import { scenarios } from "./live.js";
import { type Handle, type Running, serve } from "./scripted.js";

const SEMP_URL = process.env.SEMP_URL ?? "http://localhost:5000";
const ROOT = new URL("..", import.meta.url);

/** The real service behind the page's own origin, as a reverse proxy would have it: browsers let no page of another site read its answers. */
const proxy: Handle = (request, response, body) => {
  const { method = "GET", url = "/", headers } = request;
  const upstream = forward(SEMP_URL + url, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
  });
  upstream.on("error", () => response.destroy());
  response.on("close", () => upstream.destroy());
  upstream.end(body);
};

suite("in a browser", { skip: PROGRAM === undefined && "there is no chromium" }, () => {
  let handle: Handle = proxy;
  let site: Running;
  let browser: Chromium;

  before(async () => {
    site = await serve((request, response, body) => {
      const [, file] = /^\/page\/((?:dist|build)\/[\w.-]+)$/.exec(request.url ?? "") ?? [];
      if (request.url === "/page/") response.writeHead(200, { "content-type": "text/html" }).end('<link rel="icon" href="data:,">');
      else if (file) response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(new URL(file, ROOT)));
      else return handle(request, response, body);
    });
    browser = new Chromium(PROGRAM as string);
    await browser.open(`${site.url}/page/`);
  });

  after(async () => {
    await browser.close();
    await site.close();
  });

  const run: Run = (answering, name, given) => {
    handle = answering;
    return browser.evaluate<Shown>(`import("/page/build/cases.js").then((cases) => cases.${name}(location.origin, ${JSON.stringify(given)}))`);
  };

  conformance(run);
  pressure(run);

  suite("the real service", () => {
    for (const name of Object.keys(scenarios)) {
      test(name, async () => {
        handle = proxy;
        await browser.evaluate(`import("/page/build/live.js").then(({ scenarios }) => scenarios[${JSON.stringify(name)}](location.origin))`);
      });
    }
  });
});

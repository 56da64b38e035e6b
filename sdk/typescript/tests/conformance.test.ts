/** The conformance cases in Node. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { baseOf } from "../dist/transport.js";
import * as cases from "./cases.js";
import { conformance, load, pressure, type Run } from "./conformance.js";
import { serve } from "./scripted.js";

suite("addresses", () => {
  for (const { given, base } of load<{ given: string; base: string | null }>("addresses")) {
    test(given, () => {
      if (base === null) assert.throws(() => baseOf(given), TypeError);
      else assert.equal(baseOf(given), base);
    });
  }
});

const run: Run = async (handle, name, given) => {
  const server = await serve(handle);
  try {
    return await (cases[name] as (url: string, given: object) => Promise<cases.Shown>)(server.url, given);
  } finally {
    await server.close();
  }
};

conformance(run);
pressure(run);

/** The README's examples, compiled as printed and run against the real service. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const folder = new URL("readme/", import.meta.url);
/** What a block prints, in this order. */
const PRINTED: Record<string, string[]> = {
  "block1.js": ["new: proposal ui.login", "proposed: bigger_button"],
  "block2.js": ["proposal api.users [", "test passed"],
  "block3.js": ["strong enough:"],
  "block4.js": ["stopped at"],
  "block5.js": ["joined 2"],
  "block6.js": ["2 causes", "index"],
};

for (const name of readdirSync(folder).filter((name) => name.endsWith(".js"))) {
  test(name, () => {
    const done = spawnSync(process.execPath, [fileURLToPath(new URL(name, folder))], { encoding: "utf8", timeout: 60_000 });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    assert.equal(done.stderr, "");
    let at = 0;
    for (const line of PRINTED[name] ?? []) {
      at = done.stdout.indexOf(line, at);
      assert.ok(at >= 0, `${line} is not printed in its place:\n${done.stdout}`);
    }
  });
}

test("every block is run", () => {
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".js")).sort(), Object.keys(PRINTED));
});

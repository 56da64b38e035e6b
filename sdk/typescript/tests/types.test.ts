/** The types are those of the service as it is, and the package has what it says. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const ROOT = new URL("..", import.meta.url);

test("src/openapi.ts is what the service's document says; else: npm run types", async () => {
  const { FILE, types } = (await import(new URL("scripts/types.mjs", ROOT).href)) as { FILE: URL; types: () => Promise<string> };
  assert.equal(readFileSync(FILE, "utf8"), await types());
});

test("the package holds the modules and their types, the README and the license, and needs nothing", () => {
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: fileURLToPath(ROOT), encoding: "utf8" })) as [
    { files: { path: string }[] },
  ];
  const paths = packed.files.map(({ path }) => path);
  for (const path of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]) assert.ok(paths.includes(path), path);
  assert.deepEqual(paths.filter((path) => !/^(dist\/[\w-]+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path)), []);
  assert.equal((JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as { dependencies?: object }).dependencies, undefined);
});

test("the lock names no registry", () => {
  assert.ok(!readFileSync(new URL("package-lock.json", ROOT), "utf8").includes("resolved"));
});

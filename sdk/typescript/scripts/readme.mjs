// Writes each TypeScript block of the README to a module, so that the tests can compile and run it.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const folder = new URL("../tests/readme/", import.meta.url);
const text = await readFile(new URL("../README.md", import.meta.url), "utf8");
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [index, [, code]] of [...text.matchAll(/^```typescript\n(.*?)^```$/gms)].entries()) {
  const here = code.replaceAll(/(["'])http:\/\/localhost:5000\1/g, 'process.env["SEMP_URL"]');
  await writeFile(new URL(`block${index + 1}.ts`, folder), here);
}

// Writes src/openapi.ts from the committed OpenAPI document, contract/openapi.json: npm run types
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const HEADER = "// Made by `npm run types` from the service's OpenAPI document; not to be edited.\n\n";
export const FILE = new URL("../src/openapi.ts", import.meta.url);

const CONTRACT = new URL("../../../contract/openapi.json", import.meta.url);

/** The file's text. */
export async function types() {
  const document = JSON.parse(await readFile(CONTRACT, "utf8"));
  return HEADER + astToString(await openapiTS(document, { defaultNonNullable: false }));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await writeFile(FILE, await types());
}

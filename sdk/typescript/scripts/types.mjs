// Writes src/openapi.ts from the OpenAPI document of a running service: npm run types -- http://localhost:5000
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const HEADER = "// Made by `npm run types` from the service's OpenAPI document; not to be edited.\n\n";
export const FILE = new URL("../src/openapi.ts", import.meta.url);

/** The file's text. */
export async function typesOf(url) {
  const document = await (await fetch(new URL("/schema/openapi.json", url))).json();
  return HEADER + astToString(await openapiTS(document, { defaultNonNullable: false }));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await writeFile(FILE, await typesOf(process.argv[2] ?? "http://localhost:5000"));
}

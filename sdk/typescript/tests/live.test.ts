/** The client and the real service, in Node. */

import { test } from "node:test";
import { scenarios } from "./live.js";

export const SEMP_URL = process.env["SEMP_URL"] ?? "http://localhost:5000";

for (const [name, scenario] of Object.entries(scenarios)) test(name, () => scenario(SEMP_URL));

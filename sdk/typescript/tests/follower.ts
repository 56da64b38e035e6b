/** Follows the whole log of SEMP_URL and prints each position, until the log is another one. */

import { Client, HistoryLost } from "../dist/index.js";

const client = new Client(process.env.SEMP_URL, { log: (text) => console.error(text) });
try {
  for await (const event of client.stream({ after: 0 })) console.log(event.position);
} catch (error) {
  if (!(error instanceof HistoryLost)) throw error;
  console.log("lost after", error.position);
}

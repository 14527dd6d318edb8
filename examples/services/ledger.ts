// Shows what the running example services did and undid, in order of time.
//
//   deno run -A examples/services/ledger.ts [--run-id ID] [--reset]
//   … --tls-ca FILE [--tls-cert FILE --tls-key FILE]   when they speak TLS, as localhost

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { credentials, makeClientConstructor } from "@grpc/grpc-js";
import { Ledger, type ListResponse, type Record, State } from "./deno/gen/ledger/v1/ledger_pb.ts";
import { serviceDefinition } from "./node/server/definition.mjs";
import { polyglot, programs } from "./programs.ts";

const DEADLINE_MS = 2000;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    "run-id": { type: "string", default: "" },
    reset: { type: "boolean" },
    "tls-ca": { type: "string" },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
  },
});

const { "tls-ca": ca, "tls-cert": cert, "tls-key": key } = values;
const transport = ca === undefined
  ? credentials.createInsecure()
  : credentials.createSsl(...[ca, key, cert].map((file) => file ? readFileSync(file) : null));
const host = ca === undefined ? "127.0.0.1" : "localhost";
const endpoints = polyglot.map((language) => `${host}:${programs[language].ports[0]}`);
if (values.reset) {
  for (const endpoint of endpoints) await ask(endpoint, "reset", {});
} else {
  const request = { runId: values["run-id"] };
  const lists = await Promise.all(
    endpoints.map((endpoint) => ask<ListResponse>(endpoint, "list", request)),
  );
  const records = inOrder(lists.flatMap(({ records }) => records));
  if (records.length === 0) console.error("nothing was done yet");
  records.forEach(print);
}

/** Oldest first, and each once: behind three ports there may be one program. */
function inOrder(records: Record[]): Record[] {
  const unique = new Map(
    records.map((record) => [`${timeOf(record)} ${record.method} ${record.sequence}`, record]),
  );
  return [...unique.values()].sort((a, b) =>
    timeOf(a) - timeOf(b) || Number(a.sequence - b.sequence)
  );
}

function timeOf({ time }: Record): number {
  return time ? timestampMs(time) : 0;
}

function print(record: Record): void {
  const time = new Date(timeOf(record)).toISOString();
  console.log(time, State[record.state].padEnd(6), record.method.padEnd(40), record.actionKey);
}

function ask<Response>(endpoint: string, method: "list" | "reset", request: object) {
  const LedgerClient = makeClientConstructor(serviceDefinition(Ledger), Ledger.name);
  const client = new LedgerClient(endpoint, transport);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const deadline = Date.now() + DEADLINE_MS;
  // grpc-js makes the methods at run time, from the definition.
  client[method]?.(request, { deadline }, (error: Error | null, response: Response) => {
    client.close();
    if (error) reject(new Error(`Cannot reach ${endpoint}: ${error.message}`));
    else resolve(response);
  });
  return promise;
}

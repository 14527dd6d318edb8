/**
 * What an orchestrated call costs: the same two calls, once by hand with plain grpc-js, once as a
 * two-step workflow, in turn against the same server; the same workflow over more connections; and
 * the cold start of both as programs.
 *
 * `deno task bench [seconds per figure, default 3] [pairs, default 5]`
 */
import { loadWorkflow, openEngine } from "../mod.ts";
import { compareChannels } from "./channels.ts";
import { coldStart } from "./cold_start.ts";
import { measure, type Measured, median } from "./measure.ts";
import { plainClient } from "./plain_client.ts";
import { startServer } from "./server_process.ts";

const [seconds = 3, pairs = 5] = Deno.args.map(Number);
const server = await startServer("server.ts");

try {
  const { endpoint } = server;
  console.log(`deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`);
  for (const concurrency of [1, 50]) await compare(endpoint, concurrency);
  await compareChannels(endpoint, { concurrency: 50, milliseconds: seconds * 1_000, pairs });
  await coldStart(endpoint, pairs);
} finally {
  await server.stop();
}

async function compare(endpoint: string, concurrency: number): Promise<void> {
  const plain = plainClient(endpoint);
  const engine = openEngine();
  const workflow = await loadWorkflow(new URL("two_calls.yaml", import.meta.url).pathname);
  const orchestrated = async () => {
    const run = await engine.start(workflow, {
      input: { text: "hello" },
      endpoints: { echo: endpoint },
    });
    const { status, error } = await run.result();
    if (status !== "completed") throw new Error(`${status}: ${error?.message}`);
  };
  const options = { concurrency, milliseconds: seconds * 1_000 };
  await measure(() => plain.twoCalls("hello"), { ...options, milliseconds: 1_000 });
  await measure(orchestrated, { ...options, milliseconds: 1_000 });
  const [a, b]: [Measured[], Measured[]] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    a.push(await measure(() => plain.twoCalls("hello"), options));
    b.push(await measure(orchestrated, options));
  }
  plain.close();
  await engine.close();
  console.log(`\nconcurrency ${concurrency} (median of ${pairs})`);
  print("plain grpc-js", a);
  print("workflow", b);
  const ratios = b.map((run, pair) => run.callsPerSecond / (a[pair]?.callsPerSecond ?? NaN));
  console.log(`  ratio workflow/plain: ${median(ratios).toFixed(2)}`);
}

function print(name: string, runs: readonly Measured[]): void {
  const of = (key: keyof Measured) => median(runs.map((run) => run[key]));
  console.log(
    `  ${name.padEnd(14)} ${of("callsPerSecond").toFixed(0).padStart(6)} calls/s` +
      `   p50 ${of("p50").toFixed(2)} ms   p99 ${of("p99").toFixed(2)} ms   (a round of two calls)`,
  );
}

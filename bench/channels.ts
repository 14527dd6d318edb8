import { loadWorkflow, openEngine, type Workflow } from "../mod.ts";
import { measure, median } from "./measure.ts";

/** What is compared; the others are told as a ratio to the first. */
const CHANNELS = [1, 2, 4] as const;

/** The same workflow over one connection and over several, in turn. */
export async function compareChannels(
  endpoint: string,
  options: { readonly concurrency: number; readonly milliseconds: number; readonly pairs: number },
): Promise<void> {
  const engine = openEngine();
  const workflow = await loadWorkflow(new URL("two_calls.yaml", import.meta.url).pathname);
  const rounds = CHANNELS.map((channels) => {
    const pooled = withChannels(workflow, channels);
    return async () => {
      const run = await engine.start(pooled, {
        input: { text: "hello" },
        endpoints: { echo: endpoint },
      });
      const { status, error } = await run.result();
      if (status !== "completed") throw new Error(`${status}: ${error?.message}`);
    };
  });
  for (const round of rounds) await measure(round, { ...options, milliseconds: 500 });
  const figures: number[][] = CHANNELS.map(() => []);
  for (let pair = 0; pair < options.pairs; pair++) {
    for (const [at, round] of rounds.entries()) {
      figures[at]?.push((await measure(round, options)).callsPerSecond);
    }
  }
  await engine.close();
  console.log(`\nchannels at concurrency ${options.concurrency} (median of ${options.pairs})`);
  for (const [at, channels] of CHANNELS.entries()) {
    const mine = figures[at] ?? [];
    const ratios = mine.map((figure, pair) => figure / (figures[0]?.[pair] ?? NaN));
    console.log(
      `  ${channels} ${channels === 1 ? "channel " : "channels"} ` +
        `${median(mine).toFixed(0).padStart(6)} calls/s   ratio to 1: ${median(ratios).toFixed(2)}`,
    );
  }
}

/** The workflow as if its services had said `pool: { channels: … }`. */
function withChannels(workflow: Workflow, channels: number): Workflow {
  const services = Object.entries(workflow.services).map(([name, service]) => [
    name,
    { ...service, pool: { ...service.pool, channels } },
  ]);
  return { ...workflow, services: Object.fromEntries(services) };
}

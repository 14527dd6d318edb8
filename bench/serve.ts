/**
 * What a server bears: how many runs a second start and finish, how long a start takes at half of that,
 * whether those who watch see every event of their run in order, and whether memory stays flat.
 *
 * `deno task bench:serve [seconds per phase, default 30] [watchers, default 200]`
 */
import { startServer } from "./server_process.ts";

const [seconds = 30, watchers = 200] = Deno.args.map(Number);
/** How many starts are under way at a time, where as many are made as can be. */
const STARTERS = 40;

const folder = await Deno.makeTempDir();
const echo = await startServer("server.ts");
await writeWorkflow(echo.endpoint);
const server = await serve();
try {
  console.log(`deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`);
  await closedLoop(2); // warm
  const most = await closedLoop(seconds);
  console.log(`at most ${most.toFixed(0)} runs/s start and finish`);
  for (const rate of [most / 2, Math.min(200, most * 0.9)]) await openLoop(rate);
} finally {
  await server.stop();
  await echo.stop();
  await Deno.remove(folder, { recursive: true });
}

async function writeWorkflow(endpoint: string): Promise<void> {
  const here = new URL("./", import.meta.url).pathname;
  const text = await Deno.readTextFile(`${here}two_calls.yaml`);
  await Deno.mkdir(`${folder}/workflows`);
  await Deno.writeTextFile(
    `${folder}/workflows/two_calls.yaml`,
    text.replace("127.0.0.1:1", endpoint).replace("echo.proto", `${here}echo.proto`),
  );
}

async function serve() {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("../mod.ts", import.meta.url).pathname, "serve"],
      ...["--workflows", `${folder}/workflows`, "--store", `sqlite:${folder}/runs.db`],
      ...["--http", "127.0.0.1:0", "--log-format", "json", "--max-runs", "10000"],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { promise, resolve } = Promise.withResolvers<string>();
  const reading = (async () => {
    let text = "";
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      const url = /"message":"serving","url":"([^"]+)"/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
      text = text.slice(-1_000);
    }
  })();
  const url = await promise;
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

/** Starts a run. @returns its id, and how long that took, in milliseconds */
async function start(): Promise<{ readonly id: string; readonly took: number }> {
  const began = performance.now();
  const response = await fetch(`${server.url}/api/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"workflow":"two_calls","input":{"text":"hello"}}',
  });
  const { run_id: id, message } = await response.json();
  if (!response.ok) throw new Error(message);
  return { id, took: performance.now() - began };
}

async function completed(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // counts may be so old
  const response = await fetch(`${server.url}/api/v1/runs:counts`);
  return (await response.json()).completed;
}

/** As many runs as can be. @returns how many finish in a second */
async function closedLoop(seconds: number): Promise<number> {
  const before = await completed();
  const cpu = cpuTime();
  const began = performance.now();
  const end = began + seconds * 1_000;
  await Promise.all(Array.from({ length: STARTERS }, async () => {
    while (performance.now() < end) await start();
  }));
  const took = performance.now() - began;
  const runs = await completed() - before;
  console.log(`${((cpuTime() - cpu) / runs).toFixed(2)} ms of CPU a run`);
  return runs / (took + 1_100) * 1_000;
}

/** So many runs a second, with watchers: each sees one run from its beginning to its end, then another. */
async function openLoop(rate: number): Promise<void> {
  const times: number[] = [];
  const memory: number[] = [];
  const watching = new Set<Promise<void>>();
  const starting = new Set<Promise<void>>();
  let watched = 0;
  const began = performance.now();
  const sampling = setInterval(() => memory.push(residentMemory()), 5_000);
  for (let made = 0; performance.now() - began < seconds * 1_000; made++) {
    const due = began + made / rate * 1_000;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    const one = start().then(({ id, took }) => {
      times.push(took);
      if (watching.size >= watchers) return;
      watched++;
      const watch = watchRun(id).finally(() => watching.delete(watch));
      watching.add(watch);
    }).finally(() => starting.delete(one));
    starting.add(one);
  }
  await Promise.all(starting);
  await Promise.all(watching);
  clearInterval(sampling);
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? NaN).toFixed(1);
  console.log(
    `${rate.toFixed(0)} runs/s: a start takes p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
      `${watched} runs watched, every event in order; memory ${memory.join(", ")} MiB`,
  );
}

async function watchRun(id: string): Promise<void> {
  const response = await fetch(`${server.url}/api/v1/runs/${id}/events`);
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) text += part;
  const seqs = [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
  const isWhole = seqs.length > 3 && seqs.every((seq, index) => seq === index + 1) &&
    text.includes('"kind":"run_ended"') && text.endsWith("event: end\ndata: {}\n\n");
  if (!isWhole) throw new Error(`Events of ${id} are missing: ${text}`);
}

/** Of the server so far, in milliseconds. */
function cpuTime(): number {
  const [user, system] = Deno.readTextFileSync(`/proc/${server.pid}/stat`).split(") ")[1]!
    .split(" ").slice(11, 13).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) * 10; // in hundredths of a second
}

/** Of the server, in MiB. */
function residentMemory(): number {
  const status = Deno.readTextFileSync(`/proc/${server.pid}/status`);
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}

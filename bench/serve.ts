/**
 * What a server bears: how many runs a second start and finish, how long a start takes at half of that,
 * whether those who watch see every event of their run in order, whether memory stays flat, and what a
 * `kill -9` under that load costs.
 *
 * `deno task bench:serve [seconds that it is watched, default 30] [watchers, default 200]`
 */
import { startServer } from "./server_process.ts";
import { HttpClient } from "./http_client.ts";
import { serveWorkflows } from "./serve_process.ts";
import { Watchers } from "./watchers.ts";

const [seconds = 30, watchers = 200] = Deno.args.map(Number);
/** How many starts are under way at a time, where as many are made as can be. */
const STARTERS = 40;
/** How many runs a second are started where what matters is who watches. */
const RATE = 200;
/** How long a run waits between its calls, from and to, in milliseconds. */
const WAITS = [600, 1_000] as const;
/** How soon a start that was not answered is tried again, in milliseconds. */
const AGAIN_AFTER = 100;

const folder = await Deno.makeTempDir();
const echo = await startServer("server.ts");
const workflow = await writeWorkflow(echo.endpoint);
const server = await serveWorkflows(folder);
const client = new HttpClient(server.url);
const watching = new Watchers(server.url, watchers);
let started = 0;
try {
  console.log(`deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`);
  await closedLoop(3); // warm
  const most = await closedLoop(Math.min(seconds, 60));
  console.log(`at most ${most.toFixed(0)} runs/s start and finish`);
  await openLoop(most / 2, Math.min(seconds, 60));
  await openLoop(RATE, seconds);
  await openLoop(RATE, 20, () => server.killAndRestart());
} finally {
  watching.close();
  client.close();
  await server.stop();
  await echo.stop();
  await Deno.remove(folder, { recursive: true });
}

/** @returns its name */
async function writeWorkflow(endpoint: string): Promise<string> {
  const here = new URL("./", import.meta.url).pathname;
  const name = "call_wait_call";
  const text = await Deno.readTextFile(`${here}${name}.yaml`);
  await Deno.mkdir(`${folder}/workflows`);
  await Deno.writeTextFile(
    `${folder}/workflows/${name}.yaml`,
    text.replace("127.0.0.1:1", endpoint).replace("echo.proto", `${here}echo.proto`),
  );
  return name;
}

/** Starts a run, however often the server is away. @returns its id, and how long that took, in milliseconds */
async function start(): Promise<{ readonly id: string; readonly took: number }> {
  const id = `run-${++started}`;
  const began = performance.now();
  const until = new Date(Date.now() + WAITS[0] + Math.random() * (WAITS[1] - WAITS[0]));
  const request = JSON.stringify({ workflow, run_id: id, input: { text: "hello", until } });
  for (;;) {
    const status = await client.post("/api/v1/runs", request).catch(() => null); // the server is away
    if (status === 200) return { id, took: performance.now() - began };
    if (status !== 503 && status !== null) throw new Error(`Answered with status ${status}`);
    await sleep(AGAIN_AFTER);
  }
}

/** Waits until all that were started have completed. @throws where one has not */
async function allCompleted(): Promise<void> {
  for (;;) {
    await sleep(1_100); // counts may be so old
    const counts = await (await fetch(`${server.url}/api/v1/runs:counts`)).json();
    if (counts.completed === started) return;
    const open = counts.running + counts.waiting;
    if (open === 0) throw new Error(`${started} were started: ${JSON.stringify(counts)}`);
  }
}

/** As many runs as can be, while others watch. @returns how many a second start and finish */
async function closedLoop(seconds: number): Promise<number> {
  const before = started;
  const cpu = server.cpuTime();
  const began = performance.now();
  const end = began + seconds * 1_000;
  await Promise.all(Array.from({ length: STARTERS }, async () => {
    while (performance.now() < end) watching.offer((await start()).id);
  }));
  const took = performance.now() - began;
  await allCompleted();
  await watching.ended();
  const runs = started - before;
  console.log(`${((server.cpuTime() - cpu) / runs).toFixed(2)} ms of CPU a run`);
  return runs / took * 1_000;
}

/** So many runs a second, with watchers: each sees one run from its beginning to its end, then another. */
async function openLoop(rate: number, seconds: number, halfway = async () => {}): Promise<void> {
  const times: number[] = [];
  const memory: number[] = [];
  const starting = new Set<Promise<void>>();
  const runs = Math.round(seconds * rate);
  const began = performance.now();
  const sampling = setInterval(() => memory.push(server.residentMemory()), seconds * 100);
  for (let made = 0; made < runs; made++) {
    const early = began + made / rate * 1_000 - performance.now();
    if (early > 0) await sleep(early);
    const one = start().then(({ id, took }) => {
      times.push(took);
      watching.offer(id);
    }).finally(() => starting.delete(one));
    starting.add(one);
    if (made === runs >> 1) starting.add(halfway());
  }
  await Promise.all(starting);
  await allCompleted();
  clearInterval(sampling);
  const { watched, atMost } = await watching.ended();
  times.sort((a, b) => a - b);
  const at = (share: number) => `${(times[Math.floor(times.length * share)] ?? NaN).toFixed(1)} ms`;
  console.log(
    `${rate.toFixed(0)} runs/s: a start takes p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}`,
  );
  console.log(`  ${watched} runs watched, up to ${atMost} at a time, every event in order`);
  console.log(`  memory ${memory.join(", ")} MiB`);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

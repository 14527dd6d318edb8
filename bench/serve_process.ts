/** `maestro serve` in a process of its own. */
export interface ServeProcess {
  readonly url: string;
  /** Its CPU time so far, in milliseconds. */
  cpuTime(): number;
  /** In MiB. */
  residentMemory(): number;
  /** Ends it as a power cut would, and starts it again at the same place. */
  killAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it on the workflows and the store of a folder. */
export async function serveWorkflows(folder: string): Promise<ServeProcess> {
  let child = spawn(folder, "127.0.0.1:0");
  const url = await child.url;
  return {
    url,
    cpuTime() {
      const [user, system] = Deno.readTextFileSync(`/proc/${child.pid}/stat`).split(") ")[1]!
        .split(" ").slice(11, 13).map(Number);
      return ((user ?? NaN) + (system ?? NaN)) * 10; // in hundredths of a second
    },
    residentMemory() {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
    },
    async killAndRestart() {
      await child.end("SIGKILL");
      const began = performance.now();
      child = spawn(folder, new URL(url).host);
      await child.url;
      console.log(`killed; serves again after ${(performance.now() - began).toFixed(0)} ms`);
    },
    stop: () => child.end("SIGTERM"),
  };
}

function spawn(folder: string, address: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("../mod.ts", import.meta.url).pathname, "serve"],
      ...["--workflows", `${folder}/workflows`, "--store", `sqlite:${folder}/runs.db`],
      ...["--http", address, "--log-format", "json", "--max-runs", "10000"],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const reading = (async () => {
    let text = "";
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      const url = /"message":"serving","url":"([^"]+)"/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
      text = text.slice(-1_000);
    }
  })();
  return {
    pid: child.pid,
    url,
    async end(signal: Deno.Signal) {
      child.kill(signal);
      await child.status;
      await reading;
    },
  };
}

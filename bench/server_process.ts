/** A server in a process of its own, so that it costs all sides the same. */
export interface ServerProcess {
  /** `host:port`. */
  readonly endpoint: string;
  /** Ends it. @returns what it printed last, where it says anything on SIGTERM */
  stop(): Promise<string>;
}

/** Starts a program of this folder that prints its port once it listens. */
export async function startServer(program: string): Promise<ServerProcess> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(program, import.meta.url).pathname],
    stdout: "piped",
  }).spawn();
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The server ended before it was ready");
    text += value;
  }
  const [port = ""] = text.split("\n");
  return {
    endpoint: `127.0.0.1:${port}`,
    async stop() {
      server.kill("SIGTERM");
      let said = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        said += part.value;
      }
      await server.status;
      return said.trim();
    },
  };
}

/** A server whose log nobody takes any more goes on, and ends when it is told to. */
import assert from "node:assert/strict";
import { TextLineStream } from "./lines.ts";
import { fromFileUrl } from "../support/paths.ts";
import { tempFiles } from "../support/temp_files.ts";

const MOD = fromFileUrl(new URL("../../mod.ts", import.meta.url));

/** More lines than a pipe holds. */
const RUNS = 300;

Deno.test("a reader of the log that hangs holds up no run, and no end", async () => {
  await using files = await tempFiles({
    "w/quick.yaml": "name: quick\nsteps: [{ set: { n: 1 } }]\n",
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MOD, "serve", "--http", "127.0.0.1:0", "--log-format", "json"].concat(
      ["--workflows", files.path("w"), "--store", `sqlite:${files.path("runs.db")}`],
    ),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextLineStream()).getReader();
  let url: string | undefined;
  while (url === undefined) url = JSON.parse((await lines.read()).value ?? "{}").url;
  try {
    for (let run = 0; run < RUNS; run++) {
      const response: Response = await fetch(`${url}/api/v1/runs`, {
        method: "POST",
        body: JSON.stringify({ workflow: "quick" }),
        headers: { "content-type": "application/json" },
        signal: AbortSignal.timeout(30_000),
      });
      assert.equal(response.status, 200);
      await response.body?.cancel();
    }
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
    assert.equal((await child.status.finally(() => clearTimeout(late))).signal, null);
  } finally {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await lines.cancel();
    await child.status;
  }
});

import assert from "node:assert/strict";
import { ended } from "./program.ts";

Deno.test("a program that hangs is killed, and what it printed is told", async () => {
  const child = new Deno.Command("sh", {
    args: ["-c", "echo so far; echo so bad >&2; exec sleep 60"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await assert.rejects(ended(child, ["run", "w.yaml"], undefined, 300), {
    message:
      "maestro run w.yaml did not end within 300 ms\n--- stdout\nso far\n\n--- stderr\nso bad\n",
  });
});

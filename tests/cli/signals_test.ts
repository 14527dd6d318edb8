import assert from "node:assert/strict";
import { Desk, DONE } from "./desk.ts";
import { command, type Ended, steady } from "./program.ts";

const SLOW = `${DONE}  - { id: second, service: desk, method: Slow, input: { text: two } }\n`;
const PIVOT = "  - { id: pay, service: desk, method: Do, input: { text: pay }, pivot: true }\n";

/** Starts a run that hangs in its second step, and does something to it there. */
async function interrupted(
  steps: string,
  act: (child: Deno.ChildProcess, desk: Desk) => Promise<void> | void,
  more: readonly string[] = [],
): Promise<Ended & { readonly calls: readonly string[] }> {
  const desk = await Desk.start();
  try {
    const file = await desk.workflow("slow", steps);
    const slow = desk.slowCall();
    const child = command(["run", file, "--set", "text=hi", ...more], { cwd: desk.folder }).spawn();
    await slow;
    await act(child, desk);
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
      calls: desk.calls,
    };
  } finally {
    await desk.stop();
  }
}

const unix = Deno.build.os !== "windows";

Deno.test({
  name: "Ctrl-C cancels the run, which rolls back",
  ignore: !unix,
  async fn(t) {
    const { code, stdout, stderr, calls } = await interrupted(
      SLOW,
      (child) => child.kill("SIGINT"),
    );
    assert.equal(code, 1);
    assert.equal(JSON.parse(stdout).status, "cancelled");
    assert.deepEqual([...calls].sort(), ["Do hi", "Slow two", "Slow was cancelled", "Undo hi"]);
    await t.assertSnapshot(steady(stderr));
  },
});

Deno.test({
  name: "a second Ctrl-C leaves at once, and says how to go on",
  ignore: !unix,
  async fn(t) {
    // The slow step can be undone, so that the first Ctrl-C lets its call come to its end.
    const steps = SLOW.replace(
      "input: { text: two }",
      "input: { text: two }, compensate: { method: Undo, input: { text: two } }",
    );
    const { code, stdout, stderr, calls } = await interrupted(steps, async (child) => {
      child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 300));
      child.kill("SIGINT");
    });
    assert.equal(code, 130);
    assert.equal(stdout, "");
    assert.ok(!calls.includes("Undo hi"));
    await t.assertSnapshot(steady(stderr));
  },
});

Deno.test({
  name: "SIGTERM cancels nothing, and says how to go on",
  ignore: !unix,
  async fn(t) {
    const { code, stdout, stderr, calls } = await interrupted(
      SLOW,
      (child) => child.kill("SIGTERM"),
    );
    assert.equal(code, 143);
    assert.equal(stdout, "");
    assert.ok(!calls.includes("Undo hi"));
    await t.assertSnapshot(steady(stderr));
  },
});

for (const store of ["memory", "sqlite:my runs.db"]) {
  Deno.test({
    name: `what SIGTERM leaves behind is said of --store ${store}`,
    ignore: !unix,
    async fn(t) {
      const { code, stderr } = await interrupted(
        SLOW,
        (child) => child.kill("SIGTERM"),
        ["--store", store, "--quiet"],
      );
      assert.equal(code, 143);
      await t.assertSnapshot(steady(stderr));
    },
  });
}

Deno.test({
  name: "Ctrl-C past the pivot is refused with the reason, and a second one leaves at once",
  ignore: !unix,
  async fn(t) {
    const steps = SLOW.replace("  - { id: second", PIVOT + "  - { id: second");
    const { code, stdout, stderr, calls } = await interrupted(steps, async (child) => {
      child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 300));
      child.kill("SIGINT");
    });
    assert.equal(code, 130);
    assert.equal(stdout, "");
    assert.deepEqual(calls.filter((call) => call.startsWith("Undo")), []);
    assert.doesNotMatch(stderr, /\n\s+at .*\.ts/, "a stack trace");
    await t.assertSnapshot(steady(stderr));
  },
});

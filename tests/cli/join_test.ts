/** `maestro run --run-id` of a run that there is already. */
import assert from "node:assert/strict";
import { type Desk, deskTest, DONE } from "./desk.ts";
import { command, ended, maestro } from "./program.ts";
import { stands } from "./stands.ts";

const SLOW = `${DONE}  - { id: second, service: desk, method: Slow, input: { text: two } }\n`;

const run = (desk: Desk, file: string, ...more: readonly string[]) =>
  maestro(["run", file, "--run-id", "order-1", "--quiet", ...more], { cwd: desk.folder });

/** Starts a run that hangs in its slow step, in a process of its own. */
async function slowly(desk: Desk, file: string, ...more: readonly string[]) {
  const args = ["run", file, "--run-id", "order-1", "--set", "text=hi", ...more];
  const slow = desk.slowCall();
  const child = command(args, { cwd: desk.folder }).spawn();
  await Promise.race([slow, child.status]);
  return { child, end: () => ended(child, args) };
}

deskTest("a run that has ended gives its result again, and calls nobody", async (desk) => {
  const file = await desk.workflow("fine", DONE, "input: { properties: { n: { default: 1 } } }");
  const first = await run(desk, file, "--set", "text=hi");
  assert.equal(first.code, 0, first.stderr);
  await Deno.writeTextFile(
    `${desk.folder}/moved.yaml`,
    `# the same\n${await Deno.readTextFile(`${desk.folder}/${file}`)}`,
  );
  const again = await run(desk, "moved.yaml", "--input", '{"n": 1, "text": "hi"}');
  assert.deepEqual(again, first);
  const events = ["--set", "text=hi", "--output", "events"];
  const told = await run(desk, file, ...events);
  assert.equal(JSON.parse(told.stdout.split("\n")[0] ?? "").kind, "run_started");
  assert.deepEqual(desk.calls, ["Do hi"]);
});

deskTest(
  "a run of that id with another workflow or input is refused, saying what differs",
  async (desk, t) => {
    const file = await desk.workflow("fine", DONE);
    await run(desk, file, "--set", "text=hi");
    const other = await desk.workflow("other", DONE);
    const output = ["--output", "pretty"];
    const refused = [
      await maestro(["run", file, "--run-id", "order-1", "--set", "text=ho", ...output], {
        cwd: desk.folder,
      }),
      await maestro(["run", other, "--run-id", "order-1", "--set", "text=hi", ...output], {
        cwd: desk.folder,
      }),
    ];
    await desk.workflow("fine", `${DONE}  - { set: { more: 1 } }\n`);
    refused.push(
      await maestro(["run", file, "--run-id", "order-1", "--set", "text=hi", ...output], {
        cwd: desk.folder,
      }),
    );
    for (const { code, stderr } of refused) {
      assert.equal(code, 2);
      assert.doesNotMatch(stderr, /"h[io]"/); // values may be nobody's business
      await t.assertSnapshot(stderr);
    }
    assert.deepEqual(desk.calls, ["Do hi"]);
  },
);

deskTest("a run that goes on elsewhere is followed to its end", async (desk) => {
  const file = await desk.workflow("slow", SLOW);
  const { end } = await slowly(desk, file);
  const args = ["run", file, "--run-id", "order-1", "--set", "text=hi", "--output", "events"];
  const joining = command(args, { cwd: desk.folder }).spawn();
  const [events, watched] = joining.stdout.tee();
  const reader = watched.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; !text.includes('"second"');) { // it has read what there was
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  desk.release();
  const owner = await end();
  const [text, { code }] = await Promise.all([
    new Response(events).text(),
    joining.status,
    joining.stderr.cancel(),
  ]);
  assert.deepEqual([owner.code, code], [0, 0]);
  const kinds = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(kinds.map(({ seq }) => seq), kinds.map((_, at) => at + 1));
  assert.equal(kinds.at(-1).kind, "run_ended");
  assert.deepEqual(desk.calls, ["Do hi", "Slow two"]);
});

deskTest("a run that is followed is taken over when its process dies", async (desk) => {
  const file = await desk.workflow("slow", SLOW);
  const { child, end } = await slowly(desk, file, "--quiet");
  const args = ["run", file, "--run-id", "order-1", "--set", "text=hi", "--quiet"];
  const joining = command(args, { cwd: desk.folder }).spawn();
  const again = desk.slowCall();
  child.kill("SIGKILL");
  await end();
  await Promise.race([again, joining.status]);
  desk.release();
  const { code, stdout } = await ended(joining, args);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).status, "completed");
  assert.deepEqual(desk.calls.filter((call) => call.startsWith("Do")), ["Do hi"]);
});

deskTest("Ctrl-C at a run that is followed cancels it where it is", async (desk) => {
  const file = await desk.workflow("slow", SLOW);
  const { end } = await slowly(desk, file, "--quiet");
  const args = ["run", file, "--run-id", "order-1", "--set", "text=hi", "--output", "json"];
  const joining = command(args, { cwd: desk.folder }).spawn();
  const [errors, watched] = joining.stderr.tee();
  const reader = watched.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; !text.includes("goes on");) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  joining.kill("SIGINT");
  const [stdout, , { code }] = await Promise.all([
    new Response(joining.stdout).text(),
    new Response(errors).text(),
    joining.status,
  ]);
  assert.deepEqual([code, (await end()).code], [1, 1]);
  assert.equal(JSON.parse(stdout).status, "cancelled");
  assert.equal(desk.calls.at(-1), "Undo hi");
});

deskTest("a run that was left open is resumed by the same command", async (desk) => {
  const file = await desk.workflow("slow", SLOW);
  const { child, end } = await slowly(desk, file, "--quiet");
  child.kill("SIGKILL");
  await end();
  desk.release();
  const { code, stdout } = await run(desk, file, "--set", "text=hi");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).status, "completed");
  assert.deepEqual(desk.calls.filter((call) => call.startsWith("Do")), ["Do hi"]);
});

deskTest("a run that waits for an operator gives its report, and 3", async (desk) => {
  const steps = DONE.replace("method: Undo", "method: Deny") +
    "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n";
  const file = await desk.workflow("parked", steps);
  const first = await run(desk, file, "--set", "text=hi");
  const calls = desk.calls.length;
  const again = await run(desk, file, "--set", "text=hi");
  assert.deepEqual([first.code, again.code], [3, 3]);
  assert.deepEqual(JSON.parse(again.stdout), JSON.parse(first.stdout));
  assert.equal(desk.calls.length, calls);
});

deskTest("two that are started at once are one run", async (desk) => {
  const file = await desk.workflow("fine", DONE);
  const ends = await Promise.all(
    [1, 2, 3].map(() => run(desk, file, "--set", "text=hi")),
  );
  assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0]);
  assert.equal(new Set(ends.map(({ stdout }) => stdout)).size, 1);
  assert.deepEqual(desk.calls, ["Do hi"]);
});

deskTest(
  "a run whose child waits for an operator elsewhere gives its report, and 3",
  async (desk) => {
    await desk.workflow(
      "kid",
      `  - { id: pay, service: desk, method: Do, input: { text: pay }, pivot: true }
  - { id: ship, service: desk, method: Refuse, input: { text: ship } }\n`,
    );
    const parent = await desk.workflow("parent", "  - { id: kid, workflow: kid.yaml }\n");
    assert.equal((await run(desk, parent)).code, 3);
    const sleeper = await desk.workflow("sleeper", "  - { id: nap, wait: 1000d }\n");
    const sleeping = ["run", sleeper, "--run-id", "sleeper"];
    const first = command(sleeping, { cwd: desk.folder }).spawn();
    await stands(desk, "sleeper", ({ steps }) => steps.length > 0);
    first.kill("SIGTERM");
    await ended(first, sleeping);
    const resuming = ["runs", "resume", "--quiet"]; // it has both from now on
    const owner = command(resuming, { cwd: desk.folder }).spawn();
    try {
      while (!(await isOwned(desk, "order-1"))) continue;
      const { code, stdout } = await run(desk, parent);
      assert.equal(code, 3);
      assert.deepEqual(
        JSON.parse(stdout).attention.map(({ step }: { step: string }) => step),
        ["kid/ship"],
      );
    } finally {
      owner.kill("SIGTERM");
      await ended(owner, resuming);
    }
  },
);

/** Whether a live process has a run. */
async function isOwned(desk: Desk, id: string): Promise<boolean> {
  const { stdout } = await maestro(["runs", "list", "--output", "json"], { cwd: desk.folder });
  return JSON.parse(stdout).runs.find(({ run_id }: { run_id: string }) => run_id === id).owned;
}

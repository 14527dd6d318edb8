/** Runs whose processes are killed, stopped or left, and go on in others. */
import assert from "node:assert/strict";
import { type Desk, deskTest, DONE } from "./desk.ts";
import { command, type Ended, ended, maestro, steady } from "./program.ts";
import { stands } from "./stands.ts";

const SLOW = `${DONE}  - { id: second, service: desk, method: Slow, input: { text: two } }
  - { id: third, service: desk, method: Do, input: { text: three } }
`;

/** Starts a program that hangs in the slow step, and ends it there. */
async function endedThere(
  desk: Desk,
  args: readonly string[],
  signal: Deno.Signal,
): Promise<Ended> {
  const slow = desk.slowCall();
  const child = command(args, { cwd: desk.folder }).spawn();
  await Promise.race([slow, child.status]); // it may end before, which its result will show
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
  return await ended(child, args);
}

/** Where a run stands, by its steps. */
async function stepsOf(desk: Desk, id: string): Promise<readonly string[]> {
  const { steps } = await stands(desk, id);
  return steps.map(({ path, status }) => `${path} ${status}`);
}

deskTest(
  "a run that is killed is resumed, killed again, and resumed to its end",
  async (desk, t) => {
    const file = await desk.workflow("slow", SLOW);
    const args = ["run", file, "--set", "text=hi", "--run-id", "order-1"];
    const killed = await endedThere(desk, args, "SIGKILL");
    assert.equal(killed.stdout, "");
    assert.deepEqual(await stepsOf(desk, "order-1"), ["first completed", "second running"]);

    const again = await endedThere(desk, ["runs", "resume", "order-1"], "SIGKILL");
    assert.equal(again.stdout, "");

    desk.release();
    const { code, stdout, stderr } = await maestro(["runs", "resume", "order-1"], {
      cwd: desk.folder,
    });
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual([report.run_id, report.status], ["order-1", "completed"]);
    assert.deepEqual(report.steps.map(({ attempts }: { attempts: number }) => attempts), [1, 1, 1]);
    // What was under way is asked again, what was done is not.
    assert.deepEqual(desk.calls.filter((call) => call !== "Slow was cancelled"), [
      "Do hi",
      "Slow two",
      "Slow two",
      "Slow two",
      "Do three",
    ]);
    await t.assertSnapshot(steady(stderr));

    const over = await maestro(["runs", "resume", "order-1", "--output", "pretty"], {
      cwd: desk.folder,
    });
    assert.equal(over.code, 2);
    assert.equal(over.stderr, 'error: Run "order-1" has ended: completed\n');
  },
);

deskTest(
  "a run that SIGTERM has stopped, or a second Ctrl-C has left, is resumed at once",
  async (desk) => {
    const file = await desk.workflow("slow", SLOW);
    const stopped = await endedThere(
      desk,
      ["run", file, "--set", "text=hi", "--run-id", "stopped", "--quiet"],
      "SIGTERM",
    );
    assert.equal(stopped.code, 143);
    assert.match(stopped.stderr, /maestro runs resume stopped\n$/);
    const slow = desk.slowCall();
    const args = ["runs", "resume", "stopped", "--quiet"];
    const child = command(args, { cwd: desk.folder }).spawn();
    await slow;
    child.kill("SIGTERM");
    const again = await ended(child, args);
    assert.equal(again.code, 143);
    assert.match(again.stderr, /maestro runs resume stopped\n$/);
    desk.release();
    const { code, stdout } = await maestro(["runs", "resume", "stopped"], { cwd: desk.folder });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).status, "completed");
  },
);

deskTest("Ctrl-C cancels a run that is resumed", async (desk) => {
  const file = await desk.workflow("slow", SLOW);
  await endedThere(desk, ["run", file, "--set", "text=hi", "--run-id", "order-1"], "SIGKILL");
  const { code, stdout } = await endedThere(desk, ["runs", "resume", "order-1"], "SIGINT");
  assert.equal(code, 1);
  assert.equal(JSON.parse(stdout).status, "cancelled");
  assert.equal(desk.calls.at(-1), "Undo hi");
});

deskTest("resume goes on with all that nobody has, and says what each came to", async (desk, t) => {
  const slow = await desk.workflow("slow", SLOW);
  const refused = await desk.workflow(
    "refused",
    SLOW.replace("third, service: desk, method: Do", "third, service: desk, method: Refuse"),
  );
  const runs = [[slow, "fine"], [refused, "undone"]] as const;
  for (const [file, id] of runs) {
    await endedThere(desk, ["run", file, "--set", `text=${id}`, "--run-id", id], "SIGKILL");
  }
  // One more, which a live process has.
  const owned = ["run", slow, "--set", "text=owned", "--run-id", "owned"];
  const owner = desk.slowCall();
  const child = command(owned, { cwd: desk.folder }).spawn();
  await owner;
  const refusal = await maestro(["runs", "resume", "owned", "--output", "pretty"], {
    cwd: desk.folder,
  });
  assert.equal(refusal.code, 2);
  assert.match(refusal.stderr, /^error: .*alive.*"owned"/);

  // Ctrl-C leaves them as they are.
  const resumeAll = ["runs", "resume", "--output", "pretty"];
  const left = await endedThere(desk, [...resumeAll, "--quiet"], "SIGINT");
  assert.equal(left.code, 130);
  assert.equal(left.stdout, "");
  assert.equal(left.stderr, "Left at once. Nothing is lost; go on with: maestro runs resume\n");
  assert.ok(!desk.calls.some((call) => call.startsWith("Undo")));

  desk.release();
  assert.equal((await ended(child, owned)).code, 0);
  const { code, stdout, stderr } = await maestro(resumeAll, { cwd: desk.folder });
  assert.equal(code, 1);
  const lines = stdout.trimEnd().split("\n").sort().map((line) => steady(line));
  await t.assertSnapshot(lines.join("\n").replaceAll(/in \d+\S*s\b/g, "in <t>"));
  assert.match(
    stderr,
    /^undone {2}\S+Z {2}attempt_ended {7}third {2}attempt 1 {2}FAILED_PRECONDITION/m,
  );
  assert.deepEqual(desk.calls.filter((call) => call.startsWith("Undo")), ["Undo undone"]);

  const nothing = await maestro(resumeAll, { cwd: desk.folder });
  assert.equal(nothing.code, 0);
  assert.equal(nothing.stderr, "Nothing to resume: no run is open that nobody goes on with\n");
  const json = await maestro(["runs", "resume"], { cwd: desk.folder });
  assert.deepEqual(JSON.parse(json.stdout), { runs: [] });
});

deskTest("resume waits for what sleeps, and reports what is parked", async (desk) => {
  const sleeper = await desk.workflow("sleeper", "  - { id: nap, wait: 6s }\n");
  const parked = await desk.workflow(
    "parked",
    DONE.replace("method: Undo", "method: Deny") +
      "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n",
  );
  const args = ["run", sleeper, "--run-id", "sleeper"];
  const child = command(args, { cwd: desk.folder }).spawn();
  await stands(desk, "sleeper", ({ steps }) => steps.length > 0); // it has begun to wait
  child.kill("SIGKILL");
  await ended(child, args);
  const first = await maestro(
    ["run", parked, "--set", "text=hi", "--run-id", "parked", "--quiet"],
    { cwd: desk.folder },
  );
  assert.equal(first.code, 3);

  const { code, stdout } = await maestro(["runs", "resume", "--quiet"], { cwd: desk.folder });
  assert.equal(code, 3);
  const { runs } = JSON.parse(stdout);
  const found = runs.map(({ run_id, status }: Record<string, string>) => `${run_id} ${status}`);
  assert.deepEqual(found.sort(), ["parked needs_attention", "sleeper completed"]);
});

deskTest("a run goes on with what it started with, and needs its secrets again", async (desk) => {
  const steps = SLOW.replace(
    "third, service: desk,",
    'third, service: desk, metadata: { token: "{{ .secrets.DESK_TOKEN }}" },',
  );
  const file = await desk.workflow("secret", steps);
  await Deno.writeTextFile(`${desk.folder}/token.txt`, "token-12345\n");
  const secret = ["--secret", "DESK_TOKEN=@token.txt"];
  await endedThere(
    desk,
    ["run", file, "--set", "text=hi", "--run-id", "order-1", ...secret],
    "SIGKILL",
  );
  await desk.workflow("secret", "  - { id: other, service: desk, method: Deny }\n");
  await Deno.remove(`${desk.folder}/desk.proto`);
  desk.release();
  const without = await maestro(["runs", "resume", "order-1", "--output", "pretty"], {
    cwd: desk.folder,
  });
  assert.equal(without.code, 2);
  assert.match(without.stderr, /DESK_TOKEN/);
  const { code, stderr } = await maestro(["runs", "resume", "order-1", ...secret], {
    cwd: desk.folder,
  });
  assert.equal(code, 0, stderr);
  assert.equal(desk.calls.at(-1), "Do three");
  for await (const { name } of Deno.readDir(`${desk.folder}/.maestro`)) {
    const bytes = await Deno.readTextFile(`${desk.folder}/.maestro/${name}`);
    assert.ok(!bytes.includes("token-12345"), `${name} holds the secret`);
  }
});

deskTest("--retention drops what ended long ago, after the work", async (desk) => {
  const file = await desk.workflow("fine", DONE);
  const run = (id: string, ...more: string[]) =>
    maestro(["run", file, "--set", "text=hi", "--run-id", id, "--quiet", ...more], {
      cwd: desk.folder,
    });
  await run("old");
  assert.equal((await run("new", "--retention", "1h")).code, 0);
  const list = async () => {
    const { stdout } = await maestro(["runs", "list", "--output", "json"], { cwd: desk.folder });
    return JSON.parse(stdout).runs.map(({ run_id }: { run_id: string }) => run_id);
  };
  assert.deepEqual(await list(), ["new", "old"]);
  assert.equal((await run("newest", "--retention", "0s")).code, 0);
  assert.deepEqual(await list(), []);
});

/** What somebody wants of a run, in the process that has it, or where nobody has it. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Desk, deskTest, DONE } from "./desk.ts";
import { command, ended, maestro, steady } from "./program.ts";
import { stands } from "./stands.ts";

const WAITS = `${DONE}  - { id: approval, await_signal: approval, timeout: 1h }
  - { id: told, service: desk, method: Do, input: { text: "{{ .approval.by }}" } }
`;

const isWaiting = ({ steps }: { readonly steps: readonly { readonly status: string }[] }) =>
  steps.some(({ status }) => status === "waiting");

/** Starts a run that waits for its signal, in a process of its own. */
async function waiting(desk: Desk, id: string, steps = WAITS) {
  const file = await desk.workflow("waits", steps);
  const args = ["run", file, "--set", "text=hi", "--run-id", id, "--quiet"];
  const child = command(args, { cwd: desk.folder }).spawn();
  await stands(desk, id, isWaiting);
  return { child, end: () => ended(child, args) };
}

const runs = (desk: Desk, ...args: readonly string[]) =>
  maestro(["runs", ...args], { cwd: desk.folder });

deskTest("a signal reaches the process that has the run, once", async (desk, t) => {
  const { end } = await waiting(desk, "order-1");
  const args = ["signal", "order-1", "later", "--data", '{"by": "ada"}', "--signal-id", "s-1"];
  for (let times = 0; times < 2; times++) assert.equal((await runs(desk, ...args)).code, 0);
  const { code, stdout, stderr } = await runs(
    desk,
    "signal",
    "order-1",
    "approval",
    "--data",
    '{"by": "grace"}',
  );
  assert.equal(code, 0, stderr);
  await t.assertSnapshot(stdout.split("\n")[0] ?? "");
  const run = await end();
  assert.equal(run.code, 0);
  assert.deepEqual(desk.calls, ["Do hi", "Do grace"]);
  const events = await runs(desk, "events", "order-1", "--output", "json");
  const received = events.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "signal_received");
  assert.deepEqual(received.map(({ name }) => name), ["later", "approval"]);
});

deskTest(
  "a signal to a run that nobody has goes on with it, until it only waits again",
  async (desk, t) => {
    const file = await desk.workflow(
      "twice",
      `${WAITS}  - { id: second, await_signal: second }\n  - { id: last, service: desk, method: Do, input: { text: last } }\n`,
    );
    const args = ["run", file, "--set", "text=hi", "--run-id", "order-1", "--quiet"];
    const child = command(args, { cwd: desk.folder }).spawn();
    await stands(desk, "order-1", isWaiting);
    child.kill("SIGKILL");
    await ended(child, args);

    const first = await runs(desk, "signal", "order-1", "approval", "--data", '{"by": "ada"}');
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(desk.calls, ["Do hi", "Do ada"]);
    await t.assertSnapshot(first.stdout);
    assert.match(
      first.stderr,
      /^Nobody has it any more; go on with: maestro runs resume order-1$/m,
    );

    await Deno.writeTextFile(`${desk.folder}/data.json`, "{}");
    const second = await runs(
      desk,
      ...["signal", "order-1", "second", "--data", "@data.json", "--output", "json", "--quiet"],
    );
    assert.equal(second.code, 0, second.stderr);
    assert.equal(JSON.parse(second.stdout).status, "completed");
    assert.equal(desk.calls.at(-1), "Do last");
  },
);

deskTest("a cancel reaches the process that has the run", async (desk) => {
  const { end } = await waiting(desk, "order-1");
  const cancel = await runs(desk, "cancel", "order-1");
  assert.equal(cancel.code, 0, cancel.stderr);
  const { code, stdout } = await end();
  assert.equal(code, 1);
  assert.equal(JSON.parse(stdout).status, "cancelled");
  assert.equal(desk.calls.at(-1), "Undo hi");
});

deskTest(
  "a cancel of a run that nobody has rolls it back; who did it is on record",
  async (desk, t) => {
    const { child, end } = await waiting(desk, "order-1");
    child.kill("SIGKILL");
    await end();
    const { code, stdout, stderr } = await maestro(["runs", "cancel", "order-1"], {
      cwd: desk.folder,
      env: { USER: "ada" },
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(desk.calls, ["Do hi", "Undo hi"]);
    await t.assertSnapshot(stdout.replace(/in \d+\S*s\b/, "in <t>"));
    const events = await runs(desk, "events", "order-1");
    assert.match(events.stdout, /^\S+Z {2}cancel_requested {4}cancelled {2}by ada$/m);
    const again = await runs(desk, "cancel", "order-1");
    assert.equal(again.code, 2);
    assert.equal(again.stderr, 'error: Run "order-1" has ended: cancelled\n');
  },
);

const PIVOT = `${DONE}  - { id: pay, service: desk, method: Do, input: { text: pay }, pivot: true }
  - { id: ship, service: desk, method: Refuse, input: { text: ship }, output: shipped }
  - { id: told, service: desk, method: Do, input: { text: "{{ .shipped.text }}" } }
`;

/** Its rollback is denied. */
const UNDOES = DONE.replace("method: Undo", "method: Deny") +
  "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n";

/** Runs a workflow that is parked in the end. */
async function parked(desk: Desk, id: string, steps = PIVOT): Promise<void> {
  const file = await desk.workflow("pivot", steps);
  const { code } = await maestro(
    ["run", file, "--set", "text=hi", "--run-id", id, "--quiet"],
    { cwd: desk.folder },
  );
  assert.equal(code, 3);
}

const resolve = (desk: Desk, id: string, ...args: readonly string[]) =>
  runs(desk, "resolve", id, "--step", "ship", "--reason", "so", "--quiet", ...args);

deskTest(
  "a parked step is skipped with an output; who decided, and why, is on record",
  async (desk, t) => {
    await parked(desk, "order-1");
    const shown = await runs(desk, "show", "order-1");
    assert.equal(shown.code, 0);
    await t.assertSnapshot(
      steady(shown.stdout).replaceAll(/ +\d+\S*s$/gm, "  <t>").replace(/, \d+\S*s/, ", <t>"),
    );

    const cancel = await runs(desk, "cancel", "order-1", "--quiet");
    assert.equal(cancel.code, 2);
    assert.match(cancel.stderr, /pivot/);

    const skip = ["--skip", "--output", '{"text": "by hand"}', "--output", "json", "--by", "grace"];
    const { code, stdout, stderr } = await resolve(desk, "order-1", ...skip);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.status, "completed");
    assert.equal(desk.calls.at(-1), "Do by hand");
    const events = await runs(desk, "events", "order-1");
    assert.match(
      events.stdout,
      /^\S+Z {2}attention_resolved {2}ship {2}skip with an output {2}by grace {2}so$/m,
    );
  },
);

deskTest("a parked step is tried again with another request, and aborted", async (desk, t) => {
  await parked(desk, "order-1");
  const retry = await resolve(desk, "order-1", "--retry", "--input", '{"text": "elsewhere"}');
  assert.equal(retry.code, 0, retry.stderr); // the store has it; what it comes to is said
  assert.equal(desk.calls.at(-1), "Refuse elsewhere");
  await t.assertSnapshot(steady(retry.stdout + retry.stderr));
  const wrong = await runs(
    desk,
    ...["resolve", "order-1", "--step", "pay", "--retry", "--reason", "so"],
  );
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^error: No step "pay" of run "order-1" waits for an operator$/m);
  const abort = await resolve(desk, "order-1", "--abort", "--output", "json");
  assert.equal(abort.code, 0, abort.stderr);
  assert.equal(JSON.parse(abort.stdout).status, "incomplete");
});

deskTest(
  "everything that is parked is tried again, of one workflow and step if so asked",
  async (desk, t) => {
    await parked(desk, "order-1");
    await parked(desk, "order-2");
    const args = ["--retry", "--reason", "the carrier is back", "--quiet"];
    const none = await runs(desk, "resolve", "--all", "--workflow", "other", ...args);
    assert.equal(none.code, 0);
    assert.equal(none.stderr, "Nothing to retry: no step that fits waits for an operator\n");
    const wrong = await runs(desk, "resolve", "--all", "--step", "pay", ...args);
    assert.equal(wrong.stderr, none.stderr);

    const { code, stdout, stderr } = await runs(
      desk,
      ...["resolve", "--all", "--workflow", "pivot", "--status", "needs_attention", ...args],
    );
    assert.equal(code, 0, stderr);
    assert.equal(desk.calls.filter((call) => call === "Refuse ship").length, 4);
    await t.assertSnapshot(stdout.split("\n").sort().join("\n").trim());
    const json = await runs(desk, "resolve", "--all", ...args, "--output", "json");
    assert.deepEqual(
      JSON.parse(json.stdout).runs.map(({ run_id }: { run_id: string }) => run_id).sort(),
      ["order-1", "order-2"],
    );
  },
);

deskTest("who leaves a run that was taken over leaves it to be resumed", async (desk) => {
  const file = await desk.workflow(
    "slow",
    `${DONE}  - { id: go, await_signal: go }
  - { id: second, service: desk, method: Slow, input: { text: two } }\n`,
  );
  const args = ["run", file, "--set", "text=hi", "--run-id", "order-1"];
  const child = command(args, { cwd: desk.folder }).spawn();
  await stands(desk, "order-1", isWaiting);
  child.kill("SIGKILL");
  await ended(child, args);
  const signal = ["runs", "signal", "order-1", "go", "--quiet"];
  const slow = desk.slowCall();
  const taking = command(signal, { cwd: desk.folder }).spawn();
  await Promise.race([slow, taking.status]);
  taking.kill("SIGINT");
  const left = await ended(taking, signal);
  assert.equal(left.code, 130);
  assert.equal(
    left.stderr,
    "Left at once, in the middle of run order-1. Nothing is lost; go on with: maestro runs resume order-1\n",
  );
  desk.release();
  const { code, stdout } = await runs(desk, "resume", "order-1");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).status, "completed");
});

deskTest("a run that only waits in its child run is at rest", async (desk) => {
  await desk.workflow(
    "kid",
    "  - { id: go, await_signal: go }\n  - { id: told, service: desk, method: Do, input: { text: told } }\n  - { id: more, await_signal: more }\n",
  );
  const file = await desk.workflow("parent", "  - { id: kid, workflow: kid.yaml }\n");
  const args = ["run", file, "--run-id", "order-1", "--quiet"];
  const child = command(args, { cwd: desk.folder }).spawn();
  await stands(desk, "order-1/kid", isWaiting);
  child.kill("SIGKILL");
  await ended(child, args);
  const { code, stderr } = await runs(desk, "signal", "order-1/kid", "go", "--quiet");
  assert.equal(code, 0, stderr);
  assert.deepEqual(desk.calls, ["Do told"]);
  await stands(desk, "order-1/kid", ({ steps }) => steps.at(-1)?.path === "more");
});

deskTest("a cancel of a run that rolls back already says so", async (desk) => {
  await parked(desk, "order-1", UNDOES);
  const { code, stdout, stderr } = await runs(desk, "cancel", "order-1", "--quiet");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^order-1 {2}it turns back already, so there is nothing to cancel; /);
});

deskTest("what undoes a step is skipped without an output", async (desk) => {
  await parked(desk, "order-1", UNDOES);
  const skip = ["resolve", "order-1", "--step", "first", "--skip", "--reason", "so", "--quiet"];
  const { code, stderr } = await runs(desk, ...skip, "--output", '{"text": "by hand"}');
  assert.equal(code, 2);
  assert.equal(
    stderr,
    'error: Cannot use --output with --skip here: "first" waits to be undone, which has no output; leave it out\n',
  );
  assert.equal((await runs(desk, ...skip)).code, 0);
});

deskTest("of a child run that can't be undone nothing else is said of undoing", async (desk) => {
  await desk.workflow("kid", UNDOES.replaceAll(".input.text", ".run.workflow"));
  await parked(desk, "order-1", "  - { id: kid, workflow: kid.yaml }\n");
  const { stdout } = await runs(desk, "show", "order-1");
  assert.match(stdout, /^! "kid\/first" cannot be undone/m);
  assert.doesNotMatch(stdout, /Nothing/);
});

deskTest("a signal that no step would ever take is warned of", async (desk) => {
  await desk.workflow("kid", "  - { id: go, await_signal: go }\n");
  const { end } = await waiting(desk, "order-1", `${WAITS}  - { workflow: kid.yaml }\n`);
  const warned = async (name: string) => {
    const { code, stderr } = await runs(desk, "signal", "order-1", name, "--quiet");
    assert.equal(code, 0, stderr);
    return stderr;
  };
  assert.equal(
    await warned("aproval"),
    'warning: No step of run order-1 waits for a signal "aproval", now or later; did you mean "approval"?\n',
  );
  assert.equal(
    await warned("go"),
    'warning: No step of run order-1 waits for a signal "go", now or later; a child run does: signal it by its own id, order-1/STEP\n',
  );
  assert.equal((await runs(desk, "cancel", "order-1")).code, 0);
  await end();
});

deskTest("who leaves before the owner has answered is told that it is posted", async (desk) => {
  const { child, end } = await waiting(desk, "order-1");
  child.kill("SIGSTOP"); // it is alive, and does nothing
  const signal = ["runs", "signal", "order-1", "approval", "--signal-id", "s-1", "--quiet"];
  const asking = command([...signal, "--data", '{"by": "ada"}'], { cwd: desk.folder }).spawn();
  await posted(desk);
  asking.kill("SIGTERM");
  const left = await ended(asking, signal);
  assert.equal(left.code, 143);
  assert.equal(
    left.stderr,
    'Stopped by SIGTERM: the signal "approval" is posted, and need not be sent again: the process that has run order-1 does it, or whoever takes the run over; sent again with --signal-id s-1 it counts once; see maestro runs show order-1\n',
  );
  child.kill("SIGCONT");
  assert.equal((await end()).code, 0);
  assert.deepEqual(desk.calls, ["Do hi", "Do ada"]);
});

/** Resolves once something stands in an inbox. */
async function posted(desk: Desk): Promise<void> {
  const store = new DatabaseSync(`${desk.folder}/.maestro/maestro.db`);
  while (store.prepare("SELECT 1 FROM inbox").get() === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  store.close();
}

/** `maestro runs list`, `show`, `events` and `prune`. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Desk, deskTest, DONE } from "./desk.ts";
import { command, ended, maestro, steady } from "./program.ts";
import { stands } from "./stands.ts";

const runs = (desk: Desk, ...args: readonly string[]) =>
  maestro(["runs", ...args], { cwd: desk.folder });

/** Starts a run and sees it come to something. @returns its exit code */
async function run(desk: Desk, id: string, file: string): Promise<number> {
  const args = ["run", file, "--set", `text=${id}`, "--run-id", id, "--quiet"];
  return (await maestro(args, { cwd: desk.folder })).code;
}

const REFUSED = "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n";

/** What differs from run to run in tables and trees. */
const settled = (text: string) =>
  steady(text)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<when>")
    .replaceAll(/\b\d+(\.\d+)?m?s( so far)?$/gm, "<t>")
    .replaceAll(/ +<t>$/gm, "  <t>");

deskTest("the runs are listed, narrowed down and dropped", async (desk, t) => {
  const fine = await desk.workflow("fine", DONE);
  const refused = await desk.workflow("refused", DONE + REFUSED);
  const parked = await desk.workflow(
    "parked",
    DONE.replace("method: Undo", "method: Deny") + REFUSED,
  );
  const waits = await desk.workflow("waits", "  - { id: go, await_signal: go }\n");
  const sleeps = await desk.workflow("sleeps", "  - { id: nap, wait: 1000d }\n");
  assert.equal(await run(desk, "one", fine), 0);
  assert.equal(await run(desk, "two", refused), 1);
  assert.equal(await run(desk, "three", parked), 3);
  const waiting = [];
  for (const [id, file] of [["four", waits], ["five", sleeps]] as const) {
    const args = ["run", file, "--run-id", id, "--quiet"];
    const child = command(args, { cwd: desk.folder }).spawn();
    await stands(desk, id, ({ steps }) => steps.length > 0);
    waiting.push({ child, args });
  }
  const slow = "  - { id: slow, service: desk, method: Slow, input: { text: slow } }\n";
  const file = await desk.workflow("slow", slow);
  const open = desk.slowCall();
  const args = ["run", file, "--run-id", "six", "--quiet"];
  const child = command(args, { cwd: desk.folder }).spawn();
  await Promise.race([open, child.status]);
  await t.step("with a line each", async (t) => {
    const { code, stdout, stderr } = await runs(desk, "list");
    assert.equal(code, 0);
    assert.match(stderr, /^The store has \d+\.\d MiB\n$/);
    await t.assertSnapshot(settled(stdout));
  });
  child.kill("SIGKILL");
  await ended(child, args);
  for (const { child, args } of waiting) {
    child.kill("SIGTERM");
    await ended(child, args);
  }
  const list = async (...more: readonly string[]) => {
    const { code, stdout, stderr } = await runs(desk, "list", ...more, "--output", "json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const ids = async (...more: readonly string[]) =>
    (await list(...more)).runs.map(({ run_id }: { run_id: string }) => run_id);

  await t.step("as JSON", async () => {
    const { runs, store } = await list();
    assert.deepEqual(Object.keys(runs[0]), [
      "run_id",
      "workflow",
      "version",
      "correlation_id",
      "status",
      "started_at",
      "finished_at",
      "duration_ms",
      "sleeps_until",
      "owned",
    ]);
    assert.deepEqual(Object.keys(store), ["bytes", "free_bytes"]);
    const five = runs.find(({ run_id }: { run_id: string }) => run_id === "five");
    assert.equal(Date.parse(five.sleeps_until) - Date.parse(five.started_at) > 86_000_000, true);
  });
  await t.step("by what they stand as, their workflow, their age and number", async () => {
    assert.deepEqual(await ids(), ["six", "five", "four", "three", "two", "one"]);
    assert.deepEqual(await ids("--status", "running"), ["six", "five", "four"]);
    assert.deepEqual(await ids("--status", "needs_attention"), ["three"]);
    assert.deepEqual(await ids("--workflow", "fine"), ["one"]);
    assert.deepEqual(await ids("--since", "0s"), []);
    assert.deepEqual(await ids("--since", "1h", "--limit", "2"), ["six", "five"]);
    const { stderr } = await runs(desk, "list", "--limit", "2");
    assert.match(stderr, /^There are more than 2: see --limit, or narrow it down$/m);
    const none = await runs(desk, "list", "--workflow", "nobody");
    assert.deepEqual([none.code, none.stdout], [0, ""]);
    assert.match(none.stderr, /^No runs$/m);
  });
  await t.step("those that were left open are marked, also where they sleep", async () => {
    const { stdout } = await runs(desk, "list");
    const marked = stdout.split("\n").filter((line) =>
      line.endsWith("left open: nobody goes on with it")
    );
    assert.deepEqual(marked.map((line) => line.split(" ")[0]), ["six", "five", "four"]);
    assert.ok((await list()).runs.every(({ owned }: { owned: boolean }) => !owned));
    for (const id of ["six", "five"]) {
      const shown = await runs(desk, "show", id);
      assert.ok(
        shown.stdout.endsWith(
          `Left open: nobody goes on with it. Go on with: maestro runs resume ${id}\n`,
        ),
        shown.stdout,
      );
    }
    assert.doesNotMatch((await runs(desk, "show", "one")).stdout, /Left open/);
  });
  await t.step("those that ended are dropped, and no others", async () => {
    const kept = await runs(desk, "prune", "--older-than", "1h");
    assert.equal(kept.stdout, "Dropped 0 runs that ended more than 1h ago\n");
    const dropped = await runs(desk, "prune", "--older-than", "0s", "--output", "json");
    assert.deepEqual(JSON.parse(dropped.stdout), { dropped: 2 });
    assert.deepEqual(await ids(), ["six", "five", "four", "three"]);
  });
});

deskTest("a run is shown with its child runs, and each has its events", async (desk, t) => {
  await desk.workflow(
    "child",
    DONE.replace("method: Undo", "method: Deny").replaceAll(".input.text", ".run.workflow"),
  );
  const file = await desk.workflow("parent", `  - { id: inner, workflow: child.yaml }\n${REFUSED}`);
  const { code, stdout } = await maestro(["run", file, "--run-id", "order-1", "--quiet"], {
    cwd: desk.folder,
  });
  assert.equal(code, 3);
  const json = await runs(desk, "show", "order-1", "--output", "json");
  assert.deepEqual(JSON.parse(json.stdout), JSON.parse(stdout));
  const shown = await runs(desk, "show", "order-1");
  await t.assertSnapshot(settled(shown.stdout).replace(/[\d.]+m?s · /, "<t> · "));
  for (const id of ["order-1", "order-1/inner"]) {
    const events = await runs(desk, "events", id);
    assert.equal(events.code, 0);
    assert.doesNotMatch(events.stdout, /Not you|child child/); // requests, answers, services' words
    await t.assertSnapshot(settled(events.stdout));
  }
});

deskTest("events are as run gives them, and follow a run to its end", async (desk) => {
  const slow = "  - { id: slow, service: desk, method: Slow, input: { text: slow } }\n";
  const file = await desk.workflow("slow", DONE + slow);
  const args = ["run", file, "--set", "text=hi", "--run-id", "order-1", "--output", "events"];
  const open = desk.slowCall();
  const child = command(args, { cwd: desk.folder }).spawn();
  await Promise.race([open, child.status]);
  const following = ["runs", "events", "order-1", "--follow", "--output", "json"];
  const follower = command(following, { cwd: desk.folder }).spawn();
  const before = await runs(desk, "events", "order-1", "--output", "json");
  assert.match(before.stdout, /"path":"slow","op":"action","attempt":1\}\n$/);
  desk.release();
  const [ran, followed] = await Promise.all([ended(child, args), ended(follower, following)]);
  assert.equal(followed.code, 0);
  assert.equal(followed.stdout, ran.stdout);
  assert.ok(followed.stdout.startsWith(before.stdout));
});

deskTest(
  "a process that has lost its run says so, with 4, and tells nothing as done",
  async (desk) => {
    const slow = "  - { id: slow, service: desk, method: Slow, input: { text: slow } }\n";
    const file = await desk.workflow("slow", DONE + slow);
    const args = ["run", file, "--set", "text=hi", "--run-id", "order-1", "--output", "pretty"];
    const open = desk.slowCall();
    const child = command(args, { cwd: desk.folder }).spawn();
    await Promise.race([open, child.status]);
    const store = new DatabaseSync(`${desk.folder}/.maestro/maestro.db`);
    store.exec("UPDATE runs SET token = token + 1"); // as whoever takes it over
    store.close();
    desk.release();
    const { code, stdout, stderr } = await ended(child, args);
    assert.equal(code, 4);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: Another .* taken .*"order-1"$/m);
    assert.doesNotMatch(stderr, /slow: completed/);
  },
);

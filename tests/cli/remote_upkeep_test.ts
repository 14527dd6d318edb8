/** Runs that were left open, and old ones, at a server. */
import assert from "node:assert/strict";
import { type Desk, deskTest, DONE } from "./desk.ts";
import { ended, Said } from "./program.ts";
import { begin, stands } from "./served_desk.ts";

const SLOW = "  - { id: slow, service: desk, method: Slow, input: { text: one } }\n";

type Place = Awaited<ReturnType<typeof begin>>;

/** Starts a run over the store, without the server, and leaves it. */
async function leaveOpen(desk: Desk, place: Place, id: string): Promise<void> {
  const called = desk.slowCall();
  const args = ["run", `${desk.folder}/slow.yaml`, "--run-id", id];
  const child = place.spawnLocal(args);
  await called;
  child.kill("SIGTERM");
  assert.equal((await ended(child, args)).code, 143);
}

deskTest("a run that was left open is told as such, and resumed, by id", async (desk, t) => {
  await desk.workflow("slow", SLOW);
  await using place = await begin(desk);
  const { remote, local } = place;
  await leaveOpen(desk, place, "one");
  const option = `--server ${place.server.url} --token-file \\S+/act`;

  await t.step("runs show says with what to go on", async () => {
    const { code, stdout } = await remote(["runs", "show", "one"]);
    assert.equal(code, 0);
    const says = `Left open: nobody goes on with it. Go on with: maestro runs resume one ${option}`;
    assert.match(stdout, new RegExp(says));
  });
  await t.step("who may only look is refused", async () => {
    const { code, stderr } = await remote(["runs", "resume", "one"], "look");
    assert.equal(code, 2);
    assert.match(stderr, /"viewer" may not resume runs: that takes the role "operator"/);
  });
  await t.step("the run is followed to its end", async () => {
    const called = desk.slowCall();
    const args = ["runs", "resume", "one"];
    const resuming = place.spawn(args);
    await called;
    desk.release();
    const { code, stdout, stderr } = await ended(resuming, args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /run one of slow 1\.0 goes on/);
    assert.match(stderr, /run completed/);
    assert.equal(stdout, (await local(["runs", "show", "one", "--output", "json"])).stdout);
  });
  await t.step("one that has ended, or is none, is refused as over a store", async () => {
    for (const args of [["one"], ["nobody"], ["one/child"]]) {
      const [far, near] = [
        await remote(["runs", "resume", ...args, "--output", "json"]),
        await local(["runs", "resume", ...args, "--output", "json"]),
      ];
      assert.equal(far.code, 2);
      assert.equal(near.code, 2);
      const settled = (text: string) => text.replace(/ (in the store|at the server) "[^"]*"/, "");
      if (args[0] !== "one/child") assert.equal(settled(far.stderr), settled(near.stderr));
    }
  });
});

deskTest("all that was left open is resumed, a line for each", async (desk) => {
  await desk.workflow("slow", SLOW);
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  for (const id of ["one", "two"]) await leaveOpen(desk, place, id);
  const called = desk.slowCall();
  const args = ["runs", "resume", "--output", "pretty"];
  const resuming = place.spawn(args);
  await called;
  desk.release();
  const { code, stdout, stderr } = await ended(resuming, args);
  assert.equal(code, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => line.replace(/ in .*/, "")).toSorted();
  assert.deepEqual(lines, ["one  completed", "two  completed"]);
  const child = place.spawnLocal(["run", `${desk.folder}/waits.yaml`, "--run-id", "three"]);
  await new Said(child.stderr).once(/waits for the signal/);
  child.kill("SIGTERM");
  await child.stdout.cancel();
  await child.status;
  const asleep = await place.remote(["runs", "resume", "--output", "pretty"]);
  assert.deepEqual([asleep.code, asleep.stdout], [0, ""]);
  assert.equal(asleep.stderr, "1 run only waits; the server wakes it\n");
  const none = await place.remote(["runs", "resume", "--output", "json"]);
  assert.deepEqual([none.code, none.stdout], [0, '{"runs":[]}\n']);
  assert.match(none.stderr, /^Nothing to resume: no run is open that nobody goes on with\n$/);
});

deskTest("a run that is followed goes on at the server once who had it has gone", async (desk) => {
  await desk.workflow("slow", SLOW);
  await using place = await begin(desk);
  const called = desk.slowCall();
  const local = ["run", `${desk.folder}/slow.yaml`, "--run-id", "one"];
  const owner = place.spawnLocal(local);
  await called;
  const args = ["run", "slow", "--run-id", "one"];
  const following = place.spawn(args);
  const said = new Said(following.stderr);
  await said.once(/run one of slow 1\.0 goes on/);
  const again = desk.slowCall();
  owner.kill("SIGTERM");
  assert.equal((await ended(owner, local)).code, 143);
  await again;
  await place.server.logged(({ message, action }) => message === "audit" && action === "resume");
  desk.release();
  assert.equal((await following.status).code, 0, await said.all);
  await following.stdout.cancel();
});

deskTest("old runs are dropped at a server by an admin", async (desk) => {
  await desk.workflow("fine", DONE);
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  const { remote, server } = place;
  await remote(["run", "fine", "--set", "text=a", "--run-id", "done", "--quiet"]);
  await server.ask("POST", "/runs", { workflow: "waits", run_id: "open" });
  const prune = ["runs", "prune", "--older-than"];
  const refused = await remote([...prune, "0s"], "act");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /may not prune runs: that takes the role "admin"/);
  const none = await remote([...prune, "1d"], "rule");
  assert.equal(none.stdout, "Dropped 0 runs that ended more than 1d ago\n");
  const { code, stdout } = await remote([...prune, "0s", "--output", "json"], "rule");
  assert.deepEqual([code, stdout], [0, '{"dropped":1}\n']);
  assert.equal((await remote(["runs", "show", "done"])).code, 2);
  assert.equal((await remote(["runs", "show", "open"])).code, 0);
});

deskTest("a server that is restarted is waited for", async (desk, t) => {
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  const run = ["run", "waits", "--run-id", "one"];
  const running = place.spawn(run);
  await stands(place.server, "one", "running", 1);
  const events = ["runs", "events", "one", "--follow", "--output", "json"];
  const following = place.spawn(events, "look");
  const listening = following.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let heard = (await listening.read()).value ?? ""; // it follows by now
  const said = new Said(running.stderr);
  await said.once(/run one of waits 1\.0 started/);
  await place.stop("SIGKILL");
  await said.once(/Cannot reach the server .*; trying again/);
  await place.startAgain();
  await stands(place.server, "one", "running", 1);
  assert.equal((await place.remote(["runs", "signal", "one", "go"])).code, 0);

  await t.step("by who runs it", async () => {
    assert.equal((await running.status).code, 0);
    await running.stdout.cancel();
    assert.match(await said.all, /The server answers again\n[^]*run completed/);
  });
  await t.step("by who reads its events", async () => {
    for (;;) {
      const { value, done } = await listening.read();
      if (done) break;
      heard += value;
    }
    const said = await new Response(following.stderr).text();
    assert.equal((await following.status).code, 0);
    assert.match(said, /; trying again\nThe server answers again\n$/);
    const numbers = heard.trim().split("\n").map((line) => JSON.parse(line).seq);
    assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
    assert.match(heard, /"kind":"run_ended"/);
  });
});

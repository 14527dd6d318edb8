/** `maestro run --server` and `maestro runs … --server`: what they print is what the store has. */
import assert from "node:assert/strict";
import { deskTest, DONE } from "./desk.ts";
import { command, ended, maestro, Said } from "./program.ts";
import { begin, stands } from "./served_desk.ts";

/** What a place adds to the commands that are proposed, and the passing of time. */
const settled = (text: string) =>
  text.replaceAll(/ --(server|token-file|store) \S+| (in the store|at the server) "[^"]*"/g, "")
    .replaceAll(/\b\d+(\.\d+)?m?s\b/g, "<t>")
    .replaceAll(/ +<t>/g, " <t>");

const REFUSED = "  - { id: second, service: desk, method: Refuse, input: { text: two } }\n";

deskTest("what is printed is the same whichever way the runs are reached", async (desk, t) => {
  await desk.workflow("fine", DONE);
  await desk.workflow("refused", DONE + REFUSED);
  await desk.workflow("parked", DONE.replace("method: Undo", "method: Deny") + REFUSED);
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  const { remote, local, server } = place;
  const run = (workflow: string, id: string, ...more: string[]) =>
    remote(["run", workflow, "--set", `text=${id}`, "--run-id", id, ...more]);

  await t.step("a run is started there, and its result printed here", async () => {
    const { code, stdout, stderr } = await run("fine", "one");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, (await local(["runs", "show", "one", "--output", "json"])).stdout);
    assert.match(stderr, /run one of fine 1\.0 started/);
    assert.match(stderr, /run completed/);
    const again = await run("fine", "one", "--quiet");
    assert.deepEqual([again.code, again.stdout], [0, stdout]);
    const other = await run("fine", "one", "--set", "text=other");
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /Cannot use --run-id "one": there is a run of that id already, .* with "maestro runs show one --server http:\S+ --token-file \S+act"/,
    );
  });

  await t.step("the exit code is the run's", async () => {
    assert.equal((await run("refused@1.0", "two", "--quiet")).code, 1);
    const { code, stderr } = await run("parked", "three", "--output", "pretty");
    assert.equal(code, 3);
    assert.match(
      stderr,
      new RegExp(`maestro runs resolve three .* --server ${server.url} --token-file \\S+act`),
    );
  });

  await t.step("events are printed as they come, the first included", async () => {
    const { code, stdout } = await run("fine", "four", "--output", "events");
    assert.equal(code, 0);
    const { stdout: stored } = await local(["runs", "events", "four", "--output", "json"]);
    const without = (line: string) => {
      const { env: _, ...event } = JSON.parse(line);
      return event;
    };
    const lines = (text: string) => text.trim().split("\n").map(without);
    assert.deepEqual(lines(stdout), lines(stored));
  });

  for (
    const args of [
      ["list"],
      ["list", "--status", "compensated"],
      ["list", "--workflow", "fine", "--limit", "1"],
      ["show", "one"],
      ["show", "two", "--output", "json"],
      ["show", "three"],
      ["show", "three", "--output", "json"],
      ["events", "two"],
      ["events", "two", "--follow"],
      ["show", "nobody"],
    ]
  ) {
    await t.step(`runs ${args.join(" ")}`, async () => {
      const [there, here] = await Promise.all([
        remote(["runs", ...args], "look"),
        local(["runs", ...args]),
      ]);
      assert.equal(there.code, here.code);
      assert.equal(settled(there.stdout), settled(here.stdout));
      const own = here.stderr.replace(/^The store has .*\n/m, ""); // a server's store is its own
      assert.equal(settled(there.stderr), settled(own));
    });
  }

  await t.step("a list as JSON has the same runs", async () => {
    const args = ["runs", "list", "--output", "json"];
    const [there, here] = await Promise.all([remote(args), local(args)]);
    const [far, near] = [JSON.parse(there.stdout), JSON.parse(here.stdout)];
    assert.deepEqual(far.runs, near.runs);
    assert.deepEqual([far.store, far.server], [null, server.url]);
    assert.equal(near.server, null);
  });

  await t.step("a run is signalled, followed and cancelled", async () => {
    const waiting = place.spawn(["run", "waits", "--run-id", "five"]);
    await stands(server, "five", "running", 1);
    const args = ["runs", "signal", "five", "go", "--data", '{"n": 1}', "--signal-id", "s"];
    const { code, stdout } = await remote(args);
    assert.equal(code, 0);
    assert.match(stdout, /^five {2}the signal "go" is on record; the process that has the run/);
    const done = await ended(waiting, ["run", "waits"]);
    assert.equal(done.code, 0, done.stderr);
    const events = await local(["runs", "events", "five", "--output", "json"]);
    assert.match(events.stdout, /"kind":"signal_received","name":"go","id":"s"/);
    const stopped = place.spawn(["run", "waits", "--run-id", "six"]);
    await stands(server, "six", "running", 1);
    assert.equal((await remote(["runs", "cancel", "six"])).code, 0);
    assert.equal((await ended(stopped, ["run", "waits"])).code, 1);
  });

  await t.step("a parked step is resolved, by the token's name", async () => {
    const args = ["runs", "resolve", "three", "--step", "first", "--skip", "--reason", "by hand"];
    assert.equal((await remote(args, "look")).code, 2);
    const { code, stderr } = await remote(args);
    assert.equal(code, 0, stderr);
    await stands(server, "three", "incomplete");
    const { stdout } = await local(["runs", "events", "three", "--output", "json"]);
    assert.match(stdout, /"action":"skip","by":"operator","reason":"by hand"/);
    const all = await remote(["runs", "resolve", "--all", "--retry", "--reason", "again"]);
    assert.equal(all.code, 0);
    assert.match(all.stderr, /Nothing to retry/);
  });
});

deskTest("more runs than a page has are retried at a server", async (desk) => {
  await desk.workflow("parked", DONE.replace("method: Undo", "method: Deny") + REFUSED);
  await using place = await begin(desk);
  const { remote, server } = place;
  const ids = Array.from({ length: 101 }, (_, number) => `run-${number}`);
  for (const id of ids) {
    const body = { workflow: "parked", run_id: id, input: { text: id } };
    assert.equal((await server.ask("POST", "/runs", body)).status, 200);
  }
  for (const id of ids) await stands(server, id, "needs_attention");
  const args = ["runs", "resolve", "--all", "--retry", "--reason", "again"];
  const { code, stdout, stderr } = await remote(args);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.match(/"first" is tried again/g)?.length, ids.length);
});

deskTest("who leaves a run at a server is told that it goes on", async (desk) => {
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  const args = ["run", "waits", "--run-id", "one"];
  const left = place.spawn(args);
  await stands(place.server, "one", "running", 1);
  left.kill("SIGTERM");
  const { code, stderr } = await ended(left, args);
  assert.equal(code, 143);
  assert.match(
    stderr,
    /: the server goes on with run one; see maestro runs show one --server http/,
  );
});

deskTest("who leaves with a second Ctrl-C is told where to look", async (desk) => {
  const slow = "  - { id: slow, service: desk, method: Slow, input: { text: one }, pivot: true }\n";
  await desk.workflow("slow", slow);
  await using place = await begin(desk);
  const called = desk.slowCall();
  const child = place.spawn(["run", "slow", "--run-id", "one"]);
  const said = new Said(child.stderr);
  await called;
  await said.once(/started, desk\.Slow|slow: started/);
  child.kill("SIGINT");
  await said.once(/Ctrl-C: cancelling; once more leaves at once/);
  child.kill("SIGINT");
  assert.equal((await child.status).code, 130);
  await child.stdout.cancel();
  const option = `--server ${place.server.url} --token-file \\S+/act`;
  const told =
    `Left at once: the server goes on with run one; see maestro runs show one ${option}\n`;
  assert.match(await said.all, new RegExp(told));
  assert.equal((await place.remote(["runs", "show", "one"])).code, 0);
  desk.release();
});

deskTest("Ctrl-C has the server cancel the run", async (desk) => {
  await desk.workflow("waits", "  - { id: pause, await_signal: go }\n");
  await using place = await begin(desk);
  const child = place.spawn(["run", "waits", "--run-id", "one", "--output", "events", "--quiet"]);
  let said = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (said === "") child.kill("SIGINT"); // it follows the run by now
    said += part;
  }
  await child.stderr.cancel();
  assert.equal((await child.status).code, 1);
  assert.match(said, /"kind":"cancel_requested","reason":"cancelled","by":"operator"/);
  assert.match(said, /"kind":"run_ended","status":"cancelled"/);
});

deskTest("a server that refuses, or is none, is told apart", async (desk) => {
  await desk.workflow("fine", DONE);
  await using place = await begin(desk);
  await Deno.writeTextFile(`${desk.folder}/wrong`, "wrong-wrong-wrong");
  await Deno.writeTextFile(`${desk.folder}/empty`, "\n");
  const { url } = place.server;
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const nobody = `http://127.0.0.1:${free.addr.port}`;
  free.close();
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["--server", url], 2, /wants to know who asks: give --token-file/],
    [["--server", url, "--token-file", "wrong"], 2, /token/],
    [["--server", url, "--token-file", "empty"], 2, /Cannot use --token-file "empty": it is empty/],
    [["--server", url, "--token-file", "none"], 2, /"none"/],
    [
      ["--server", nobody],
      4,
      /Cannot reach the server at http:\/\/127\.0\.0\.1:\d+: Connection refused\n/,
    ],
    [["--server", "127.0.0.1:8080"], 2, /write where it is, such as http:\/\//],
    [["--server", `${url}/api`], 2, /with a path in it: write where it is, such as http:\/\//],
    [["--server", url.replace("//", "//me:secret@")], 2, /^error: Cannot use a --server with a n/],
    [["--server", url, "--store", "memory"], 2, /Cannot use --server with --store/],
    [["--token-file", "wrong"], 2, /Cannot use --token-file alone: it goes with --server/],
    [["--insecure"], 2, /Cannot use --insecure alone: it goes with --server/],
  ];
  for (const [flags, code, message] of cases) {
    const came = await maestro(["runs", "list", ...flags], { cwd: desk.folder });
    assert.match(came.stderr, message);
    assert.equal(came.code, code, came.stderr);
  }
  const file = await place.remote(["run", "fine.yaml"]);
  assert.equal(file.code, 2);
  assert.match(
    file.stderr,
    /Cannot run the file "fine.yaml" at a server: .* by their names, as in "order_saga"/,
  );
  for (
    const [name, message] of [
      ["nothing", /There is no workflow "nothing"/],
      ["fin", /There is no workflow "fin"; did you mean "fine"\?/],
      ["fine@2", /There is no workflow "fine" of version "2"; there is 1\.0/],
    ] as const
  ) {
    const { code, stderr } = await place.remote(["run", name]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

Deno.test("what means nothing at a server is said with the reason", async (t) => {
  const at = ["--server", "http://127.0.0.1:9"];
  const cases = [
    [
      ["run", "w", "--endpoint", "a=b:1"],
      /--endpoint: the server calls the endpoints that its own/,
    ],
    [["run", "w", "--retention", "1d"], /--retention: .*"maestro runs prune --server"/],
    [["run", "w", "--secret", "A=@b"], /--secret: the server has secrets of its own/],
    [["run", "w", "--inspect"], /--inspect: what it shows is inside of the server/],
    [["runs", "resume", "--secret", "A=@b"], /--secret: the server has secrets of its own/],
    [
      ["runs", "prune", "--older-than", "1d", "--store", "sqlite:a"],
      /--store: runs are in the one/,
    ],
    [
      ["runs", "resolve", "r", "--step", "s", "--retry", "--reason", "r", "--by", "me"],
      /--by: the server takes down whose token it is/,
    ],
  ] as const;
  for (const [args, message] of cases) {
    await t.step(args.join(" "), async () => {
      const { code, stderr } = await maestro([...args, ...at], { cwd: "." });
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }
});

deskTest("a token goes over no plain network, unless that is said", async (desk) => {
  await desk.workflow("fine", DONE);
  await using place = await begin(desk);
  const elsewhere = place.server.url.replace("127.0.0.1", "0.0.0.0"); // which is this machine, too
  const list = ["runs", "list", "--server", elsewhere, "--token-file", "token"];
  await Deno.writeTextFile(`${desk.folder}/token`, "look-look-look");
  const refused = await maestro(list, { cwd: desk.folder });
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /Cannot send a token to http:\/\/0\.0\.0\.0:\d+: .* use https:\/\/, or say --insecure/,
  );
  const insisted = await maestro([...list, "--insecure"], { cwd: desk.folder });
  assert.equal(insisted.code, 0, insisted.stderr);
});

/** A server that takes requests, and does not answer as it should. */
function mute(onRequest: (connection: Deno.TcpConn) => void) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4_096));
      onRequest(connection);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("where it is not known whether a run was started, its id is told", async (t) => {
  const look = (url: string) => `maestro runs show [0-9a-f-]{36} --server ${url}`;
  await t.step("the server goes away", async () => {
    await using server = mute((connection) => connection.close());
    const { code, stderr } = await maestro(["run", "w", "--server", server.url], { cwd: "." });
    assert.equal(code, 4);
    const lost = `Lost the server at ${server.url}: .*; if it was started all the same, `;
    assert.match(stderr, new RegExp(`${lost}"${look(server.url)}" has it`));
  });
  await t.step("who waits for the answer leaves", async () => {
    const asked = Promise.withResolvers<Deno.TcpConn>();
    await using server = mute(asked.resolve);
    const args = ["run", "w", "--server", server.url];
    const child = command(args, { cwd: "." }).spawn();
    using _ = await asked.promise;
    child.kill("SIGINT");
    const { code, stderr } = await ended(child, args);
    assert.equal(code, 130);
    assert.match(
      stderr,
      new RegExp(`before it was known whether run .* was started; see ${look(server.url)}`),
    );
  });
});

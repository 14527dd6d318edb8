/** What `maestro runs` says where it can't be followed, and where there is no store to look into. */
import assert from "node:assert/strict";
import { maestro } from "./program.ts";

/** Arguments that can't be followed: each ends with 2, one message, and no stack trace. */
const MISUSES: readonly (readonly string[])[] = [
  ["runs"],
  ["runs", "lst"],
  ["runs", "list", "extra"],
  ["runs", "list", "--status", "complted"],
  ["runs", "list", "--status", "broken"],
  ["runs", "list", "--since", "yesterday"],
  ["runs", "list", "--limit", "0"],
  ["runs", "list", "--output", "xml"],
  ["runs", "list", "--store", "memory"],
  ["runs", "list", "--store", "sqlite::memory:"],
  ["runs", "list", "--store", "sqlite:file:runs.db?mode=ro"],
  ["runs", "list", "--store", "sqlite:/dev/null"],
  ["runs", "show"],
  ["runs", "show", "nobody", "--store", "sqlite:./.maestro/maestro.db"],
  ["runs", "show", "nobody"],
  ["runs", "events", "nobody", "--follow"],
  ["runs", "resume", "nobody"],
  ["runs", "resume", "done/child"],
  ["runs", "resume", "--retention", "30"],
  ["runs", "resume", "--secret", "TOKEN=s3cret"],
  ["runs", "cancel"],
  ["runs", "cancel", "nobody"],
  ["runs", "cancel", "done"],
  ["runs", "signal", "done"],
  ["runs", "signal", "done", "go", "--data", "{a: 1}"],
  ["runs", "signal", "done", "go", "--data", "@missing.json"],
  ["runs", "signal", "done", "go"],
  ["runs", "resolve", "done", "--step", "a", "--reason", "so"],
  ["runs", "resolve", "done", "--step", "a", "--retry"],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--reason", " "],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--reason", "so", "--by", " "],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--skip", "--reason", "so"],
  ["runs", "resolve", "done", "--retry", "--reason", "so"],
  ["runs", "resolve", "done", "--step", "a", "--skip", "--input", "{}", "--reason", "so"],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--output", "{}", "--reason", "so"],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--reason", "so", "--workflow", "w"],
  ["runs", "resolve", "done", "--all", "--retry", "--reason", "so"],
  ["runs", "resolve", "--retry", "--reason", "so"],
  ["runs", "resolve", "--all", "--skip", "--reason", "so"],
  ["runs", "resolve", "--all", "--retry", "--input", "{}", "--reason", "so"],
  ["runs", "resolve", "--all", "--retry", "--status", "failed", "--reason", "so"],
  ["runs", "resolve", "done", "--step", "a", "--retry", "--reason", "so"],
  ["runs", "prune"],
  ["runs", "prune", "--older-than", "1 month"],
];

/** A folder with a store in which one run, `done`, has completed. */
async function withStore(use: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "maestro_runs_" });
  try {
    await Deno.writeTextFile(`${cwd}/hello.yaml`, "name: hello\nsteps: [ { set: { a: 1 } } ]\n");
    const args = ["run", "hello.yaml", "--run-id", "done", "--quiet"];
    const { code, stderr } = await maestro(args, { cwd });
    assert.equal(code, 0, stderr);
    await use(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("arguments of runs that can't be followed end with 2 and say what to do", async (t) => {
  await withStore(async (cwd) => {
    for (const args of MISUSES) {
      await t.step(`maestro ${args.join(" ")}`, async (t) => {
        const { code, stdout, stderr } = await maestro(args, { cwd });
        assert.equal(code, 2, stderr);
        if (args[1] !== "resume") assert.equal(stdout, "");
        assert.doesNotMatch(stderr, /\n\s+at .*\.ts/, "a stack trace");
        assert.ok(!stderr.includes("s3cret"));
        await t.assertSnapshot(stderr);
      });
    }
  });
});

Deno.test("where there is no store, runs says so, makes none, and ends with 4", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "maestro_runs_" });
  try {
    for (
      const args of [
        ["list"],
        ["show", "r"],
        ["events", "r"],
        ["resume"],
        ["cancel", "r"],
        ["signal", "r", "go"],
        ["resolve", "r", "--step", "a", "--retry", "--reason", "so"],
        ["prune", "--older-than", "1d"],
      ]
    ) {
      const { code, stderr } = await maestro(["runs", ...args], { cwd });
      assert.equal(code, 4);
      assert.equal(
        stderr,
        'error: There is no store at ".maestro/maestro.db"; run a workflow first, or name the store with --store\n',
      );
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(cwd)), []);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("a store that can't be used is said in one sentence, with 4", async (t) => {
  const cwd = await Deno.makeTempDir({ prefix: "maestro_runs_" });
  try {
    await Deno.writeTextFile(`${cwd}/hello.yaml`, "name: hello\nsteps: [ { set: { a: 1 } } ]\n");
    await Deno.writeTextFile(`${cwd}/notes.txt`, "This is no database, and long enough to see.\n");
    await Deno.mkdir(`${cwd}/folder`);
    for (const store of ["notes.txt", "folder", "notes.txt/runs.db"]) {
      for (const args of [["run", "hello.yaml", "--output", "json"], ["runs", "list"]]) {
        await t.step(`${args.join(" ")} --store sqlite:${store}`, async (t) => {
          const { code, stdout, stderr } = await maestro([...args, "--store", `sqlite:${store}`], {
            cwd,
          });
          assert.equal(code, 4, stderr);
          if (args[0] === "run") assert.equal(JSON.parse(stdout).problems[0].code, "store_failed");
          await t.assertSnapshot(stderr);
        });
      }
    }
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

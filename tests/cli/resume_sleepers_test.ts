/** `maestro runs resume` of runs that sleep, and can't be woken. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Desk, deskTest } from "./desk.ts";
import { command, ended, maestro } from "./program.ts";
import { stands } from "./stands.ts";

/** Leaves a run that waits in its step `nap`. */
async function asleep(desk: Desk, file: string, id: string, ...more: readonly string[]) {
  const args = ["run", file, "--run-id", id, "--quiet", ...more];
  const child = command(args, { cwd: desk.folder }).spawn();
  await stands(desk, id, ({ steps }) => steps.some(({ status }) => status === "waiting"));
  child.kill("SIGTERM");
  await ended(child, args);
}

/** Does something to the store. */
function change(desk: Desk, sql: string): void {
  const store = new DatabaseSync(`${desk.folder}/.maestro/maestro.db`);
  store.exec(sql);
  store.close();
}

const statusesOf = (stdout: string) =>
  JSON.parse(stdout).runs.map(({ run_id, status }: Record<string, string>) =>
    `${run_id} ${status}`
  );

const NAP = "  - { id: nap, wait: 6s }\n";

deskTest("resume says of a sleeping run that can't be woken why, with 4", async (desk) => {
  await asleep(desk, await desk.workflow("lost", NAP), "lost");
  change(desk, "DELETE FROM texts WHERE text LIKE '%lost%'");
  await asleep(desk, await desk.workflow("fine", NAP), "fine");
  const { code, stdout, stderr } = await maestro(["runs", "resume", "--quiet"], {
    cwd: desk.folder,
  });
  assert.equal(code, 4);
  assert.match(stderr, /^error: run lost: .*is not in the store\n$/);
  assert.deepEqual(statusesOf(stdout), ["fine completed"]);
});

deskTest("who leaves is given no list as if it were complete", async (desk) => {
  await asleep(desk, await desk.workflow("sleeper", "  - { id: nap, wait: 1000d }\n"), "sleeper");
  const args = ["runs", "resume"];
  const child = command(args, { cwd: desk.folder }).spawn();
  const list = ["runs", "list", "--output", "json"];
  for (let owned = false; !owned;) {
    const { stdout } = await maestro(list, { cwd: desk.folder });
    owned = JSON.parse(stdout).runs[0].owned;
  }
  child.kill("SIGTERM");
  const { code, stdout } = await ended(child, args);
  assert.deepEqual([code, stdout], [143, ""]);
});

deskTest("resume says once that a sleeping run lacks its secret, and ends with 2", async (desk) => {
  const steps = NAP +
    '  - { id: told, service: desk, method: Do, metadata: { token: "{{ .secrets.DESK_TOKEN }}" } }\n';
  await Deno.writeTextFile(`${desk.folder}/token.txt`, "token-12345\n");
  const file = await desk.workflow("secret", steps);
  await asleep(desk, file, "secret", "--secret", "DESK_TOKEN=@token.txt");
  await asleep(desk, await desk.workflow("fine", NAP), "fine");
  const { code, stdout, stderr } = await maestro(["runs", "resume", "--quiet"], {
    cwd: desk.folder,
  });
  assert.equal(code, 2);
  assert.match(stderr, /^error: run secret: .*DESK_TOKEN.*\n$/);
  assert.deepEqual(statusesOf(stdout), ["fine completed"]);
});

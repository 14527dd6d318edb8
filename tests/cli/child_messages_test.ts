/** A run that calls no service itself has the messages that its child runs gave, and goes on with them. */
import assert from "node:assert/strict";
import { deskTest, DONE } from "./desk.ts";
import { command, ended, maestro, Said } from "./program.ts";

const outer = (name: string, child: string, rest: string) =>
  `name: ${name}
version: "1.0"
steps:
  - { id: sub, workflow: ./${child}.yaml, input: { text: hello } }
${rest}
output: "{{ .sub }}"
`;

for (const child of ["inner", "middle"]) {
  deskTest(`what a child run gave is read in its parent's facts: ${child}`, async (desk) => {
    await desk.workflow("inner", DONE, 'output: "{{ .first }}"');
    await Deno.writeTextFile(`${desk.folder}/middle.yaml`, outer("middle", "inner", ""));
    const waits = "  - { id: pause, await_signal: go }";
    await Deno.writeTextFile(`${desk.folder}/outer.yaml`, outer("outer", child, waits));
    const cwd = desk.folder;
    const args = ["run", "outer.yaml", "--run-id", "one"];
    const running = command(args, { cwd }).spawn();
    const said = new Said(running.stderr);
    await said.once(/pause: waits for the signal/);
    running.kill("SIGTERM");
    assert.equal((await running.status).code, 143);
    await running.stdout.cancel();
    const shown = await maestro(["runs", "show", "one"], { cwd });
    assert.equal(shown.code, 0, shown.stderr);
    const resuming = command(["runs", "resume", "one"], { cwd }).spawn();
    const again = new Said(resuming.stderr);
    await again.once(/run one of outer 1\.0 goes on/);
    const signal = command(["runs", "signal", "one", "go"], { cwd }).spawn();
    assert.equal((await ended(signal, ["runs", "signal"])).code, 0);
    const printed = await new Response(resuming.stdout).text();
    assert.equal((await resuming.status).code, 0, await again.all);
    assert.deepEqual(JSON.parse(printed).output, { text: "hello" });
  });
}

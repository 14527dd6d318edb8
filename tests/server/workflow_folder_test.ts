import assert from "node:assert/strict";
import { checkWorkflow } from "../../src/library/check.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { tempFiles } from "../support/temp_files.ts";

/** The first step, as long as not all of the file has been written. */
const HALF = `
name: greet
version: "1"
steps:
  - id: one
    await_signal: go
`;

const WHOLE = `${HALF}
  - id: two
    await_signal: go
`;

Deno.test("a file that is written while it is read is read again", async () => {
  await using files = await tempFiles({ "greet.yaml": HALF });
  let isWhole = false;
  const folder = await WorkflowFolder.open({
    folder: files.path("."),
    async check(path) {
      const read = await checkWorkflow(path);
      if (!isWhole) await Deno.writeTextFile(path, WHOLE);
      isWhole = true;
      return read;
    },
  });
  folder.close();
  assert.equal(folder.detail("greet").steps.length, 1);
  await folder.look();
  assert.equal(folder.detail("greet").steps.length, 2);
});

/** A folder that counts how often its files are read, and keeps what it says of them. */
async function watched(files: Readonly<Record<string, string>>) {
  const temp = await tempFiles(files);
  const checked: string[] = [];
  const said: string[] = [];
  const folder = await WorkflowFolder.open({
    folder: temp.path("."),
    check(path) {
      checked.push(path.slice(path.lastIndexOf("/") + 1));
      return checkWorkflow(path);
    },
    onRead: ({ file, workflow, problems }) => {
      const codes = problems.map(({ code }) => ` ${code}`).join("");
      said.push(`${file}: ${workflow === null ? "none" : "good"}${codes}`);
    },
  });
  folder.close();
  return {
    folder,
    checked,
    said,
    write: async (file: string, text: string) => {
      await Deno.writeTextFile(temp.path(file), text);
      await Deno.utime(temp.path(file), ...laterTimes());
    },
    path: (file: string) => temp.path(file),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

let later = 0;

/** Times at which nothing else was written: two writes may come in one tick of the file system's clock. */
function laterTimes(): [Date, Date] {
  const time = new Date(Date.now() - 3_600_000 + 1_000 * later++);
  return [time, time];
}

Deno.test("what has not changed is not read again, be it good, broken or no workflow at all", async () => {
  await using watch = await watched({});
  const { folder, checked, said, write } = watch;
  await write("good.yaml", WHOLE);
  await write("broken.yaml", "steps: [ { nothing: 1 } ]\n");
  await write("settings.yaml", "colour: blue\n");
  await folder.look();
  const files = ["broken.yaml", "good.yaml", "settings.yaml"];
  assert.deepEqual(checked, files);
  await folder.look();
  assert.deepEqual(checked, files);
  await write("settings.yaml", WHOLE.replace("greet", "settings"));
  await folder.look();
  assert.deepEqual(checked.slice(3), ["settings.yaml"]);
  assert.deepEqual(said.slice(2), ["settings.yaml: good"]);
});

Deno.test("a file that waits for another that it includes is good once that comes, and said to be broken once", async () => {
  await using watch = await watched({});
  const { folder, said, write } = watch;
  await write("parent.yaml", "name: parent\nsteps: [ { id: one, workflow: ./child.yaml } ]\n");
  for (let turn = 0; turn < 3; turn++) await folder.look();
  assert.deepEqual(said, ["parent.yaml: none unreadable_file"]);
  await write("child.yaml", WHOLE);
  await folder.look();
  assert.deepEqual(said.slice(1), ["child.yaml: good", "parent.yaml: good"]);
});

Deno.test("a file at odds with its service's schema does not take the last good one's place", async () => {
  const proto = (method: string) => `
syntax = "proto3";
package shop;
message Nothing {}
service Shop { rpc ${method}(Nothing) returns (Nothing); }
`;
  const calling = (method: string) => `
name: buy
version: "1"
services:
  shop: { endpoint: "127.0.0.1:1", proto_service: shop.Shop, proto: [shop.proto] }
steps:
  - id: pay
    service: shop
    method: ${method}
`;
  await using watch = await watched({ "shop.proto": proto("Pay"), "buy.yaml": calling("Pay") });
  const { folder, said } = watch;
  await watch.write("buy.yaml", calling("Refund"));
  await folder.look();
  await folder.look();
  assert.deepEqual(said, ["buy.yaml: good", "buy.yaml: good method_not_found"]);
  assert.equal(folder.detail("buy").text, calling("Pay"));
  await watch.write("shop.proto", proto("Refund"));
  for (let turn = 0; turn < 100 && said.at(-1) !== "buy.yaml: good"; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50)); // schema files are looked at once a second
    await folder.look();
  }
  assert.equal(said.at(-1), "buy.yaml: good");
  assert.equal(folder.detail("buy").text, calling("Refund"));
});

Deno.test("of two files with one name the second can be started once the first has gone", async () => {
  await using watch = await watched({});
  const { folder, said, write, path } = watch;
  await write("a.yaml", WHOLE);
  await write("b.yaml", WHOLE);
  for (let turn = 0; turn < 3; turn++) await folder.look();
  assert.deepEqual(said, ["a.yaml: good", "b.yaml: none workflow_twice"]);
  await Deno.remove(path("a.yaml"));
  await folder.look();
  assert.deepEqual(said.slice(2), ["b.yaml: good"]);
  assert.equal(folder.list().length, 1);
});

Deno.test("of a broken file its text is there as it is now, of one that was right as it was then", async () => {
  await using watch = await watched({});
  const { folder, write } = watch;
  await write("a.yaml", "steps: 1\n");
  await folder.look();
  await write("a.yaml", "steps: 22\n");
  await folder.look();
  assert.equal(folder.detail("a.yaml").text, "steps: 22\n");
  await write("a.yaml", WHOLE);
  await folder.look();
  await write("a.yaml", "steps: 1\n");
  await folder.look();
  assert.equal(folder.detail("greet").text, WHOLE);
});

Deno.test("who asks for a workflow that is not there is told what may be meant", async () => {
  const broken = "name: order\nsteps: [ { id: a, service: nope, method: X } ]\n";
  const none = 'There is no workflow "order"';
  await using files = await tempFiles({
    "greet.yaml": HALF,
    ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`b${number}.yaml`, broken])),
  });
  const folder = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  folder.close();
  const cases = [
    ["greets", undefined, 'There is no workflow "greets"; did you mean "greet"?'],
    ["greet", "2", 'There is no workflow "greet" of version "2"; there is 1'],
    [
      "order",
      undefined,
      `${none}; it may be in a file that has mistakes: b1.yaml, b2.yaml, b3.yaml and 2 more`,
    ],
  ] as const;
  for (const [name, version, message] of cases) {
    assert.throws(() => folder.find(name, version), { code: "WORKFLOW_NOT_FOUND", message });
  }
  for (const number of [1, 2, 3, 4, 5]) await Deno.remove(files.path(`b${number}.yaml`));
  await folder.look();
  assert.throws(() => folder.find("order"), { message: none });
});

const PROTO = `syntax = "proto3";
package shop;
message Nothing {}
service Shop { rpc Sell(Nothing) returns (Nothing); }
`;

function selling(method: string): string {
  return `name: sell
services: { shop: { endpoint: "shop:1", proto: shop.proto } }
steps: [ { id: sell, service: shop, method: ${method} } ]
`;
}

Deno.test("a method that its service has not is a mistake like any other: the last good one stays", async () => {
  await using watch = await watched({});
  const { folder, said, write } = watch;
  await write("shop.proto", PROTO);
  await write("sell.yaml", selling("Sell"));
  await folder.look();
  await write("sell.yaml", selling("Sel"));
  await folder.look();
  assert.equal(folder.detail("sell").text, selling("Sell"));
  assert.equal(folder.detail("sell").problems.length, 1);
  assert.equal(folder.find("sell").name, "sell");
  await write("sell.yaml", selling("Sell"));
  await folder.look();
  assert.deepEqual(folder.detail("sell").problems, []);
  assert.deepEqual(said, [
    "sell.yaml: good",
    "sell.yaml: good method_not_found",
    "sell.yaml: good",
  ]);
});

Deno.test("a workflow that waits for its service's schema can't be started until that comes", async () => {
  await using watch = await watched({});
  const { folder, said, write } = watch;
  await write("sell.yaml", selling("Sell"));
  await folder.look();
  await folder.look();
  assert.equal(folder.list()[0]?.startable, false);
  assert.throws(() => folder.find("sell"), /may be in a file that has mistakes: sell\.yaml/);
  await write("shop.proto", PROTO);
  await folder.look();
  assert.equal(folder.find("sell").name, "sell");
  assert.deepEqual(said, ["sell.yaml: none schema_unavailable", "sell.yaml: good"]);
});

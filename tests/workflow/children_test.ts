import { deepEqual, equal, notEqual } from "node:assert/strict";
import { eachChild, eachStep, eachTarget } from "../../src/workflow/calls.ts";
import { definitionDigest } from "../../src/workflow/digest.ts";
import type { ChildStep, Workflow } from "../../src/workflow/model.ts";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import { parse, valid } from "../support/parsing.ts";

/** Every problem of a workflow's files, as `file:line:column message`. */
function told(text: string, files: Readonly<Record<string, string>>): readonly string[] {
  return parse(text, files).problems.map(({ file, line, column, message }) =>
    `${file}:${line}:${column} ${message}`
  );
}

function childOf(workflow: Workflow, id: string): ChildStep {
  const step = [...eachStep(workflow.steps)].find((each) => each.id === id);
  if (step?.kind !== "workflow") throw new Error(`No child workflow at ${id}`);
  return step;
}

const SET = "steps: [{ set: { a: 1 } }]\n";
const starts = (name: string, ...files: string[]) =>
  `name: ${name}\nsteps:\n${files.map((file) => `  - { workflow: ${file} }\n`).join("")}`;

const INVOICE = `name: invoice
version: "2"
include: services.yaml
timeout: 5m
input: { required: [order] }
output: "{{ .sent.id }}"
steps: [{ id: sent, service: mail, method: Send, input: { to: "{{ .env.OFFICE }}" } }]
`;

Deno.test("a child workflow is embedded whole, its paths relative to the file that says them", () => {
  const workflow = valid(
    `name: order
steps:
  - id: bill
    workflow: billing/invoice.yaml
    input: { order: "{{ .input.order }}" }
output: "{{ .bill }}"
`,
    {
      "billing/invoice.yaml": INVOICE,
      "billing/services.yaml": `services: { mail: { endpoint: "mail:1", proto: mail.proto } }\n`,
    },
  );
  const { workflow: child, input, compensate } = childOf(workflow, "bill");
  deepEqual([child.name, child.version, child.timeout], ["invoice", "2", 300_000]);
  deepEqual(child.input, { required: ["order"] });
  equal(child.output, "{{ .sent.id }}");
  deepEqual([...eachStep(child.steps)].map(({ path }) => path), ["sent"]);
  const { schema } = child.services["mail"] ?? {};
  deepEqual(schema?.kind === "proto" && schema.files, ["billing/mail.proto"]);
  deepEqual([input, compensate], [{ order: "{{ .input.order }}" }, null]);
  deepEqual(workflow.services, {});
  deepEqual([...eachTarget(workflow.steps)], []);
  deepEqual([...eachTarget(child.steps)].map(({ method }) => method), ["Send"]);
  deepEqual([workflow.env, child.env], [["OFFICE"], ["OFFICE"]]);
});

Deno.test("a workflow is frozen plain data, its children too, which JSON keeps as it is", () => {
  const workflow = valid(starts("a", "b.yaml"), { "b.yaml": `name: b\n${SET}` });
  deepEqual(JSON.parse(JSON.stringify(workflow)), workflow);
  const { workflow: child } = childOf(workflow, "steps[0]");
  deepEqual([workflow, child, child.steps].map(Object.isFrozen), [true, true, true]);
});

Deno.test("a child's definition is part of its parent's digest, where it stands is not", () => {
  const digest = (child: string) =>
    definitionDigest(valid(starts("a", "b.yaml"), { "b.yaml": child }));
  equal(digest(`name: b\n${SET}`), digest(`# a comment\nname: b\n${SET}`));
  notEqual(digest(`name: b\n${SET}`), digest(`name: b\nsteps: [{ set: { a: 2 } }]\n`));
});

Deno.test("a child that is started in several places is read and parsed once", () => {
  const asked: string[] = [];
  const files: Readonly<Record<string, string>> = {
    "b.yaml": starts("b", "d.yaml"),
    "c.yaml": starts("c", "d.yaml", "./d.yaml"),
    "d.yaml": `name: d\ninclude: s.yaml\n${SET}`,
    "s.yaml": "services: {}\n",
  };
  const { workflow, problems } = parseWorkflow(
    { file: "a.yaml", text: starts("a", "b.yaml", "c.yaml", "d.yaml") },
    (path) => {
      asked.push(path);
      return files[path] ?? "";
    },
  );
  deepEqual(problems, []);
  deepEqual(asked, ["b.yaml", "d.yaml", "s.yaml", "c.yaml"]);
  const children = workflow === null ? [] : [...eachChild(workflow)];
  deepEqual(children.map(({ name }) => name), ["b", "d", "c"]);
});

Deno.test("eachChild() finds children wherever a step may stand", () => {
  const child = (name: string) => ({ [`${name}.yaml`]: `name: ${name}\n${SET}` });
  const workflow = valid(
    `name: a
steps:
  - steps: [{ workflow: b.yaml }]
    catch: [{ steps: [{ workflow: c.yaml }] }]
  - parallel: [{ workflow: d.yaml }]
  - switch: [{ steps: [{ foreach: [1], steps: [{ workflow: e.yaml }] }] }]
  - { repeat: [{ workflow: f.yaml }], until: "{{ true }}", max_rounds: 1 }
`,
    Object.assign({}, ...["b", "c", "d", "e", "f"].map(child)),
  );
  deepEqual([...eachChild(workflow)].map(({ name }) => name), ["b", "c", "d", "e", "f"]);
});

Deno.test("all problems of all children are told, each in its own file, after the parent's", () => {
  const files = {
    "b.yaml": `name: b
include: shared.yaml
steps:
  - { workflow: sub/c.yaml, inptu: 1 }
  - { set: { a: "{{ .nowhere }}" } }
`,
    "sub/c.yaml": `name: c
steps:
  - { service: mail, method: Send }
  - { workflow: d.yaml }
  - { set: { unread: 1 } }
  - return: 1
`,
    "shared.yaml": "timeuot: 3s\n",
  };
  deepEqual(told(`${starts("a", "b.yaml", "b.yaml")}timeot: 3s\n`, files), [
    'workflow.yaml:5:1 Unknown key "timeot"; did you mean "timeout"?',
    'b.yaml:4:29 Unknown key "inptu"; did you mean "input"?',
    'b.yaml:5:21 Unknown name ".nowhere"',
    'shared.yaml:1:1 "timeuot" has no place in an included file: only services, defaults and include are merged in',
    'sub/c.yaml:3:16 Unknown service "mail": there is none under "services"',
    'sub/c.yaml:4:17 Cannot read "sub/d.yaml": No such file',
  ]);
});

Deno.test("a child's warnings are told, too", () => {
  const { workflow, problems } = parse(starts("a", "b.yaml"), {
    "b.yaml": "name: b\nsteps: [{ set: { unread: 1 } }, { return: 2 }]\n",
  });
  deepEqual(problems.map(({ file, code }) => [file, code]), [["b.yaml", "unused_output"]]);
  notEqual(workflow, null);
});

Deno.test("a workflow can't start itself, directly or through others: the chain is named", () => {
  deepEqual(told(starts("a", "workflow.yaml"), {}), [
    "workflow.yaml:3:17 A workflow can't start itself, it would not end: workflow.yaml → workflow.yaml",
  ]);
  const files = {
    "b.yaml": starts("b", "sub/c.yaml"),
    "sub/c.yaml": starts("c", "../b.yaml", "../workflow.yaml"),
    "workflow.yaml": starts("a", "b.yaml"),
  };
  deepEqual(told(starts("a", "b.yaml"), files), [
    "sub/c.yaml:3:17 A workflow can't start itself, it would not end: b.yaml → sub/c.yaml → b.yaml",
    "sub/c.yaml:4:17 A workflow can't start itself, it would not end: workflow.yaml → b.yaml → sub/c.yaml → workflow.yaml",
  ]);
});

Deno.test("a workflow that is named by another path is found to be the same", () => {
  const text = starts("a", "./b.yaml");
  const files: Readonly<Record<string, string>> = { "b.yaml": starts("b", "./a.yaml") };
  const { problems } = parseWorkflow({ file: "./a.yaml", text }, (path) => files[path] ?? "");
  deepEqual(problems.map(({ file, code }) => [file, code]), [["b.yaml", "workflow_circle"]]);
});

Deno.test("children may be ten deep, and make twenty thousand steps", () => {
  const chain = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [
    `w${at}.yaml`,
    at < 11 ? starts(`w${at}`, `w${at + 1}.yaml`) : `name: end\n${SET}`,
  ]));
  deepEqual(parse(starts("a", "w3.yaml"), chain).problems, []);
  deepEqual(
    parse(starts("a", "w2.yaml"), chain).problems.map(({ file, code }) => [file, code]),
    [["w10.yaml", "too_deep"]],
  );
  const bomb = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [
    `b${at}.yaml`,
    at < 7 ? starts(`b${at}`, ...Array(6).fill(`b${at + 1}.yaml`)) : `name: end\n${SET}`,
  ]));
  deepEqual(
    parse(starts("a", "b0.yaml"), bomb).problems.map(({ file, code }) => [file, code]),
    [["b1.yaml", "too_many_steps"]],
  );
});

Deno.test("a load reads at most a hundred files", () => {
  const names = Array.from({ length: 100 }, (_, at) => `w${at}.yaml`);
  const files = Object.fromEntries(names.map((name, at) => [name, `name: w${at}\n${SET}`]));
  deepEqual(told(starts("a", ...names), files), [
    "workflow.yaml:102:17 Cannot read more than 100 files",
  ]);
});

const PIVOT = `name: pay
services: { pay: { endpoint: "pay:1" } }
steps:
  - fail: { code: ABORTED, message: x }
    when: "{{ .input.x }}"
  - { id: paid, service: pay, method: Pay, pivot: true }
`;

Deno.test("a child's pivot is its parent's: it may not stand inside rounds or beside others", () => {
  const text = `name: a
steps:
  - { foreach: [1], steps: [{ workflow: pay.yaml }] }
  - { parallel: [{ workflow: outer.yaml }] }
  - { workflow: pay.yaml }
`;
  const files = { "pay.yaml": PIVOT, "outer.yaml": starts("outer", "pay.yaml") };
  const why = "what runs several times, or beside others, has no one moment after which there " +
    "is no way back";
  deepEqual(told(text, files).slice(0, 2), [
    `workflow.yaml:3:31 Cannot start "pay" inside "foreach": it has a pivot (pay.yaml:6), and ${why}`,
    `workflow.yaml:4:20 Cannot start "outer" inside "parallel": it has a pivot (pay.yaml:6), and ${why}`,
  ]);
});

Deno.test("after a child with a pivot an uncaught fail is an error, and so is a child that may fail", () => {
  const fails = "name: fails\nsteps: [{ fail: { code: ABORTED, message: x } }]\n";
  const files = {
    "pay.yaml": PIVOT,
    "fails.yaml": fails,
    "outer.yaml": starts("outer", "fails.yaml"),
    "safe.yaml": `name: safe
steps:
  - { steps: [{ fail: { code: ABORTED, message: x } }], catch: [{ codes: [ABORTED] }] }
  - { workflow: fails.yaml, catch: [{ codes: [CHILD_FAILED] }] }
`,
  };
  const after = (step: string) =>
    told(`name: a\nsteps:\n  - { id: settle, workflow: pay.yaml }\n  - { ${step} }\n`, files);
  deepEqual(
    after("fail: { code: ABORTED, message: x }"),
    [
      'workflow.yaml:4:7 Cannot fail after the pivot "settle" (line 3): there is no way back. ' +
      'Fail before it, or have a "catch" around this step that takes ABORTED',
    ].map((line) => line.replace("4:5", "4:5")),
  );
  const message = (name: string) =>
    `workflow.yaml:4:7 Cannot start "${name}" after the pivot "settle" (line 3): it may fail by ` +
    'design (fails.yaml:2), and there is no way back. Give this step a "catch" that takes CHILD_FAILED';
  deepEqual(after("workflow: fails.yaml"), [message("fails")]);
  deepEqual(after("workflow: outer.yaml"), [message("outer")]);
  deepEqual(after("workflow: outer.yaml, catch: [{ codes: [CHILD_FAILED] }]"), []);
  deepEqual(after("workflow: safe.yaml"), []);
});

Deno.test("a child is no step of a compensation, and may return wherever its step stands", () => {
  const child = { "b.yaml": "name: b\nsteps: [{ return: 1 }]\n" };
  deepEqual(parse(`name: a\nsteps: [{ parallel: [{ workflow: b.yaml }] }]\n`, child).problems, []);
  const inCompensation = `name: a
services: { pay: { endpoint: "pay:1" } }
steps: [{ service: pay, method: Pay, compensate: { steps: [{ workflow: b.yaml }] } }]
`;
  deepEqual(told(inCompensation, child), [
    "workflow.yaml:3:62 Cannot start a workflow inside a compensation: a run that fails undoes itself, and a compensation is tried until it succeeds; call the service that undoes it",
  ]);
});

/** What is filled in at the page is what the server gets. */
import assert from "node:assert/strict";
import { scene } from "./scene.ts";
import { SCRIPTS, WORKFLOWS } from "./shop.ts";
import type { Site } from "./site.ts";
import type { Visit } from "./visit.ts";

const FORM = `name: form
input:
  type: object
  required: [name, maybe]
  properties:
    name: { type: string, title: Whose, examples: [Ada Lovelace] }
    maybe: { type: [string, "null"] }
    sure: { type: [boolean, "null"] }
    amount: { type: number }
    count: { type: integer, default: 3 }
    note: { type: string, maxLength: 2000 }
    tags: { type: array, items: { type: string } }
    places: { type: array, items: { type: object, properties: { at: { type: number } } } }
    labels: { type: object, additionalProperties: { type: string } }
    payment:
      oneOf:
        - { title: Card, type: object, required: [card], properties: { kind: { const: card }, card: { type: string } } }
        - { title: Voucher, type: string }
        - { $ref: "#/$defs/nothing" }
  $defs: { nothing: { type: "null" } }
steps: [ { return: "{{ .input }}" } ]
`;

const WITH_FORM = { site: { workflows: { "form.yaml": FORM } } };

/** Starts the run that was filled in. @returns its input, as the server has it */
async function started(site: Site, visit: Visit): Promise<unknown> {
  await visit.page.getByText("Ids").click();
  await visit.fills("Run id", "filled-in");
  await visit.press("Start form");
  await visit.status("completed");
  return (await site.server.operations.getRunDefinition("filled-in")).input;
}

scene(
  "a form knows numbers, lists, one of several kinds, and what may be null",
  async ({ site, visit }) => {
    await visit.go("/workflows/form?view=start");
    assert.equal(await visit.page.getByLabel("Whose").getAttribute("placeholder"), "Ada Lovelace");
    await visit.fills("Whose", "Grace");
    await visit.page.getByLabel("amount").pressSequentially("1.05");
    assert.equal(await visit.page.getByLabel("amount").inputValue(), "1.05");
    await visit.fills("note", "one\ntwo");
    await visit.page.getByLabel("sure").selectOption("no");
    await visit.press("Add tags");
    for (const tag of ["a", "b", "c"]) {
      await visit.press("Add to tags");
      await visit.page.getByLabel(/^tags \d/).last().fill(tag);
    }
    await visit.press("Remove tags 1");
    await visit.press("Add places");
    for (const at of ["1", "2.50", "3"]) {
      await visit.press("Add to places");
      await visit.page.getByLabel(/^at/).last().fill(at);
    }
    await visit.press("Remove places 1");
    assert.equal(await visit.page.getByLabel(/^at/).first().inputValue(), "2.50");
    await visit.press("Add labels");
    await visit.page.locator("textarea:focus").waitFor();
    await visit.fills("labels (JSON)", "{ no");
    await visit.sees(/JSON/, ".field-error");
    await visit.press("Start form");
    await visit.fills("labels (JSON)", '{ "colour": "red" }');
    await visit.page.getByLabel("Kind of payment").selectOption("Card");
    await visit.fills("card", "4711");
    await visit.keeps("form-fields");
    assert.deepEqual(await started(site, visit), {
      name: "Grace",
      maybe: null,
      sure: false,
      amount: 1.05,
      count: 3,
      note: "one\ntwo",
      tags: ["b", "c"],
      places: [{ at: 2.5 }, { at: 3 }],
      labels: { colour: "red" },
      payment: { kind: "card", card: "4711" },
    });
  },
  WITH_FORM,
);

scene("integers that would lose digits are not sent, in no field", async ({ site, visit }) => {
  await visit.go("/workflows/form?view=start");
  await visit.fills("Whose", "Grace");
  await visit.fills("count", "9007199254740993");
  await visit.sees("The integer 9007199254740993 is beyond 2^53", ".field-error");
  await visit.press("Start form");
  await visit.keeps("big-integer");
  await visit.fills("count", "9007199254740992");
  await visit.press("Write it as JSON");
  const text = visit.page.getByLabel("Input, as JSON");
  assert.match(await text.inputValue(), /9007199254740992/);
  await text.fill('{ "name": "Grace", "maybe": "9007199254740993", "count": 9007199254740993 }');
  await visit.sees("The integer 9007199254740993 is beyond 2^53", ".field-error");
  assert.ok(await visit.page.getByRole("button", { name: "Start form" }).isDisabled());
  assert.ok(await visit.page.getByRole("button", { name: "Use the form" }).isDisabled());
  await text.fill('{ "name": "Grace", "maybe": "9007199254740993", "amount": 1e20 }');
  assert.deepEqual(await started(site, visit), {
    name: "Grace",
    maybe: "9007199254740993",
    amount: 1e20,
    count: 3, // the server's own default
  });
}, WITH_FORM);

scene("a request is sent as it is shown when a step is tried again", async ({ site, visit }) => {
  const items = [{ sku: "tea", quantity: 1 }];
  await site.start("order", { customer: "Closed Account", carrier: "nobody", items }, {
    run_id: "stuck",
  });
  await visit.go("/runs/stuck");
  await visit.press("Resolve…");
  await visit.page.locator("input[type=radio]:focus").waitFor();
  const request = visit.page.getByRole("textbox", { name: "Request" });
  await request.fill('{ "customer": "Ada", "amount": 9007199254740993 }');
  await visit.sees("The integer 9007199254740993 is beyond 2^53", ".field-error");
  assert.ok(await visit.page.getByRole("button", { name: "Retry", exact: true }).isDisabled());
  const edited = '{ "customer": "Ada", "amount": "9007199254740993", "rate": 1e20 }';
  await request.fill(edited);
  await visit.page.getByLabel(/^Skip/).check();
  await visit.page.getByLabel(/^Retry/).check();
  assert.equal(await request.inputValue(), edited);
  await visit.fills("Reason, for the record", "The account was closed");
  await visit.press(/^Retry$/);
  await visit.status("compensated");
  await visit.page.locator("h1:focus").waitFor();
  const { signal } = new AbortController();
  for await (const event of site.server.operations.runEvents("stuck", { signal })) {
    if (event.kind === "attention_resolved") assert.deepEqual(event["input"], JSON.parse(edited));
  }
});

const CHILD = `name: child
services: { mail: { endpoint: "mail:50051" } }
steps: [ { id: tell, service: mail, method: Fussy } ]
`;
const PARENT = `name: parent
services: { mail: { endpoint: "mail:50051" } }
steps:
  - { id: pay, service: mail, method: Tell, pivot: true }
  - { id: ship, workflow: child.yaml }
`;

scene(
  "a child run that is tried again is another run, and both are at hand",
  async ({ site, visit }) => {
    await site.start("parent", {}, { run_id: "parent" });
    await visit.go("/runs/parent?step=ship");
    await visit.press("Resolve…");
    await visit.fills("Reason, for the record", "Once more");
    await visit.press(/^Retry$/);
    await visit.status("completed");
    await visit.keeps("child-run");
    await visit.follows("Open the child run");
    await visit.status("completed");
    await visit.sees("parent/ship#2", ".facts-line");
    await visit.page.goBack();
    await visit.follows("try 1");
    await visit.status("failed");
    assert.match(visit.page.url(), /runs\/parent%2Fship$/);
    await visit.follows("parent", ".crumbs");
    await visit.status("completed");
  },
  {
    site: {
      workflows: { ...WORKFLOWS, "child.yaml": CHILD, "parent.yaml": PARENT },
      scripts: {
        ...SCRIPTS,
        "mail/Fussy": (_, nth) => nth === 1 ? { fail: "FAILED_PRECONDITION" } : { answer: {} },
      },
    },
  },
);

/** Runs that are large, long, deep or strange, and a server that goes and comes back. */
import assert from "node:assert/strict";
import { scene } from "./scene.ts";
import { SCRIPTS, WORKFLOWS } from "./shop.ts";
import { openSite } from "./site.ts";
import { SCREENS } from "./visit.ts";

const MANY = `name: many
services: { mail: { endpoint: "mail:50051", circuit_breaker: false, retry: { attempts: 9, initial_delay: 1ms } } }
steps:
  - id: all
    foreach: "{{ .input.list }}"
    concurrency: 100
    steps: [ { id: one, service: mail, method: Flaky } ]
`;

/** As much as a browser draws without effort. */
const MOST_NODES = 4_000;
const COUNT_NODES = "document.querySelectorAll('*').length";

scene("a run with 2,000 steps and more than 10,000 events can be read", async ({ site, visit }) => {
  const list = Array.from({ length: 2_000 }, (_, at) => at);
  await site.start("many", { list }, { run_id: "many" });
  await site.ended("many");
  await visit.go("/runs/many");
  await visit.status("completed");
  await visit.step(/^one\b.*completed.*2000\/2000/).waitFor();
  await visit.sees(/more of 2001 steps/);
  assert.ok(await visit.page.evaluate<number>(COUNT_NODES) < MOST_NODES);
  await visit.fills("Only steps with", "[1999]");
  await visit.press(/^all\[1999\]\.one/, ".timeline");
  await visit.sees("all[1999].one", ".details");
  assert.match(visit.page.url(), /steps=%5B1999%5D/);
  await visit.keeps("many-steps");
  await visit.press("Close the step's details");
  await visit.page.locator("[data-path='all[].one']:focus").waitFor();
  await visit.page.getByRole("tab", { name: "Events" }).click();
  const [, events = ""] = /of (\d+) events/.exec(
    await visit.page.getByRole("button", { name: /more of \d+ events/ }).innerText(),
  ) ?? [];
  assert.ok(Number(events) > 10_000, events);
  assert.ok(await visit.page.evaluate<number>(COUNT_NODES) < MOST_NODES);
  await visit.keeps("many-events");
}, {
  site: {
    workflows: { "many.yaml": MANY },
    scripts: {
      "mail/Flaky": ({ attempt }) => attempt < 2 ? { fail: "UNAVAILABLE" } : { answer: {} },
    },
  },
});

const LONG = "a_name_that_nobody_should_have_given_to_it_but_somebody_did";
const BRANCHES = Array.from(
  { length: 30 },
  (_, at) => `      - { id: ${LONG.slice(0, 40)}_${at}, service: mail, method: Tell }`,
).join("\n");
const STRANGE = `name: ${LONG}
version: "2026.11.26-rc.1+build.4711.of.a.branch.with.a.name"
description: "שלום עולם 🚀 مرحبا بالعالم, ${"with_a_word_that_does_not_end_".repeat(8)}"
services: { mail: { endpoint: "mail:50051" } }
steps:
  - id: side_by_side
    parallel:
${BRANCHES}
  - id: l1
    steps: [ { id: l2, parallel: [ { id: l3, steps: [ { id: l4, foreach: [1, 2], steps: [ { id: l5, parallel: [ { id: ${LONG}, service: mail, method: Huge, input: { text: "שלום 🎉" } } ] } ] } ] } ] } ]
  - { id: breaks, service: mail, method: Terrible }
`;
const TERRIBLE = "no_space_in_it_".repeat(100) + "שלום 🎉 " + "many words ".repeat(2_000);

scene(
  "long names, errors and outputs, deep nests and many branches stay on the screen",
  async ({ site, visit }) => {
    await site.start(LONG, {}, {
      run_id: `run-${"0123456789".repeat(12)}`,
      correlation_id: "c".repeat(128),
    });
    await visit.go("/runs");
    await visit.sees("failed", ".list");
    await visit.keeps("strange-runs");
    await visit.follows(/^run-0123/);
    await visit.status("failed");
    const width = await visit.page.evaluate<number>(
      "document.querySelector('.graph-sheet').offsetWidth",
    );
    assert.ok(width < 2_000, `the graph is ${width} pixels wide`);
    await visit.keeps("strange-run");
    await visit.press(/^Show all [\d,.]+ characters/);
    await visit.sees("many words many words", ".failure");
    await visit.page.getByRole("button", { name: new RegExp(`${LONG}\\b.*completed`) }).first()
      .click();
    await visit.keeps("strange-step");
    await visit.press(/^Show all \d+ KiB/, ".details");
    await visit.sees(/"n": 9999/, ".details");
    assert.ok(await visit.page.evaluate<number>(COUNT_NODES) < MOST_NODES);
    await visit.go(`/workflows/${LONG}`);
    await visit.step(/^side_by_side/).waitFor();
    // Of so many branches, those at the line that leads in and out are in sight.
    await visit.page.waitForFunction("document.querySelector('.graph-scroll').scrollTop > 100");
    await visit.keeps("strange-workflow");
    await visit.go("/workflows");
    await visit.sees(LONG);
    await visit.keeps("strange-workflows");
    await visit.go("/services");
    await visit.sees("mail:50051");
    await visit.keeps("strange-services");
  },
  {
    site: {
      workflows: { ...WORKFLOWS, "strange.yaml": STRANGE },
      scripts: {
        ...SCRIPTS,
        "mail/Huge": {
          answer: { big: Array.from({ length: 10_000 }, (_, n) => ({ n, text: "x".repeat(80) })) },
        },
        "mail/Terrible": { fail: "FAILED_PRECONDITION", message: TERRIBLE },
      },
    },
  },
);

scene("a server that is gone and comes back is found again", async ({ visit }) => {
  visit.expected.push(
    /ERR_CONNECTION_REFUSED/,
    /ERR_INCOMPLETE_CHUNKED_ENCODING/,
    /ERR_EMPTY_RESPONSE/,
  );
  let port: number;
  {
    await using site = await openSite();
    port = Number(new URL(site.url).port);
    await site.start("approval", {}, { run_id: "before" });
    await visit.page.goto(`${site.url}/runs`);
    await visit.sees("before", ".list");
    await visit.sees("live", ".connection");
  }
  await visit.sees("reconnecting", ".connection");
  await visit.sees("before", ".list"); // what was seen stays
  await using site = await openSite({ port });
  await site.start("approval", {}, { run_id: "after" });
  await visit.sees("live", ".connection");
  await visit.sees("after", ".list");
});

scene(
  "pages of runs are gone through and back, and an address leads to the same one",
  async ({ site, visit }) => {
    for (let n = 0; n < 160; n++) await site.start("approval", {}, { run_id: `run-${n}` });
    await visit.go("/runs?workflow=approval&since=24h");
    await visit.sees("run-159", ".list");
    await visit.follows("Older →");
    await visit.sees("run-109", ".list");
    const second = visit.page.url();
    await visit.follows("Older →");
    await visit.sees("run-59", ".list");
    await visit.follows("← Newer");
    await visit.sees("run-109", ".list");
    assert.equal(visit.page.url(), second);
    await visit.page.reload();
    await visit.sees("run-109", ".list");
    assert.equal(await visit.page.getByLabel("Workflow").inputValue(), "approval");
    await visit.follows("← Newest");
    await visit.sees("run-159", ".list");
  },
  { screens: [{ name: "1280", width: 1280, height: 900 }] },
);

scene("a step leads to its service, and a service has an address", async ({ site, visit }) => {
  await site.start("approval", {}, { run_id: "waits" });
  await site.start("order", { customer: "Ada", items: [{ sku: "tea", quantity: 1 }] }, {
    run_id: "ok",
  });
  await site.ended("ok");
  await visit.go("/runs/ok?step=charge");
  await visit.follows("payments", ".details");
  await visit.reads("Service payments");
  assert.deepEqual(await visit.texts(".service h2"), ["payments"]);
  await visit.keeps("one-service");
  await visit.go("/services?service=nobody");
  await visit.sees("No run has called this service yet");
  await visit.follows("Show all services");
  await visit.sees("stock:50051");
}, { screens: [{ name: "390", width: 390, height: 844 }] });

const PATIENT = `name: patient
services: { mail: { endpoint: "mail:50051", attempt_timeout: 5s } }
steps: [ { id: tell, service: mail, method: Tell }, { fail: { code: ABORTED, message: Enough } } ]
`;

scene(
  "of services that only settings tell apart, it is said that one breaker holds back its own",
  async ({ site, visit }) => {
    await site.start("order", { customer: "Ada", items: [{ sku: "tea", quantity: 1 }] }, {
      run_id: "ok",
    });
    await site.start("patient", {}, { run_id: "patient" });
    await site.ended("ok");
    await site.ended("patient");
    await visit.go("/services?service=mail");
    await visit.sees("One of 2 for different settings");
    await visit.press("Force open mail");
    await visit.sees("Those with other settings go on", "dialog");
    await visit.keeps("twin-services");
    await visit.press(/^Back$/, "dialog");
    await visit.go("/services?service=stock");
    await visit.press("Force open stock");
    await visit.sees("No run of this server calls it any more", "dialog");
    assert.equal(await visit.page.getByText("for different settings").count(), 0);
  },
  { site: { workflows: { ...WORKFLOWS, "patient.yaml": PATIENT }, scripts: SCRIPTS } },
);

scene(
  "runs are found by their workflow also where its file has gone, and broken files are no workflows",
  async ({ site, visit }) => {
    await site.start("patient", {}, { run_id: "patient" });
    await site.start("approval", {}, { run_id: "waits" });
    await site.ended("patient");
    await Deno.remove(site.path("patient.yaml"));
    await visit.go("/workflows");
    await visit.page.getByRole("link", { name: "patient" }).waitFor({ state: "detached" });
    await visit.go("/runs");
    await visit.sees("waits", ".list");
    const workflows = visit.page.getByLabel("Workflow");
    await workflows.selectOption("patient");
    await visit.page.locator(".list tr:has-text('waits')").waitFor({ state: "detached" });
    assert.deepEqual(await visit.texts(".row-link"), ["patient"]);
    assert.equal(await workflows.locator("option", { hasText: "broken.yaml" }).count(), 0);
    await visit.follows("patient", ".list");
    await visit.sees("Enough", ".failure");
    // The workflow's own `fail` has no request that something could be said of.
    assert.equal(await visit.page.getByText("The request never left").count(), 0);
  },
  {
    screens: SCREENS.slice(0, 1),
    site: { workflows: { ...WORKFLOWS, "patient.yaml": PATIENT }, scripts: SCRIPTS },
  },
);

scene(
  "what was typed into the list's filters stays there when somebody leaves",
  async ({ visit }) => {
    await visit.go("/runs");
    await visit.reads("Runs");
    await visit.page.getByLabel("Run or correlation id").fill("abc");
    await visit.follows("Services");
    await visit.reads("Services");
    await visit.page.waitForTimeout(500); // longer than a pause in typing is waited for
    assert.equal(new URL(visit.page.url()).search, "");
  },
  { screens: SCREENS.slice(0, 1) },
);

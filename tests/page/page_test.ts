/** The page as people use it: in Chromium, at a desk and on a phone, against a server with runs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Tokens } from "../../src/server/tokens.ts";
import { tempFiles } from "../support/temp_files.ts";
import { scene } from "./scene.ts";
import { openSite } from "./site.ts";
import { SCREENS, type Visit } from "./visit.ts";

const order = (customer: string, carrier = "parcel") => ({
  customer,
  carrier,
  items: [{ sku: "tea", quantity: 1 }, { sku: "pot", quantity: 1 }],
});

function sha256(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

async function fillOrder(visit: Visit, customer: string, carrier: string): Promise<void> {
  await visit.go("/workflows");
  await visit.follows("order");
  await visit.follows("Start a run", "main");
  await visit.fills(/^customer/, customer);
  await visit.fills(/^sku/, "tea");
  await visit.fills(/^carrier/, carrier);
}

scene("a run is started from the form and watched to its end", async ({ visit }) => {
  await fillOrder(visit, "Slow Ada", "parcel");
  await visit.press("Add to items");
  await visit.page.getByLabel(/^sku/).nth(1).fill("pot");
  await visit.page.getByLabel("shipping").selectOption("express");
  await visit.keeps("start-form");
  await visit.press("Start order");
  await visit.status("running");
  await visit.step(/^charge\b.*running/).waitFor();
  await visit.keeps("run-running");
  await visit.status("completed");
  await visit.step(/^print\b.*completed.*2\/2/).waitFor();
  await visit.step(/^drive\b.*not reached/).waitFor();
  await visit.step(/^reserve\b.*completed.*×2/).waitFor();
  await visit.keeps("run-completed");

  await visit.step(/^print\b/).click();
  await visit.page.getByLabel(/^Round/).selectOption("label[1].print");
  await visit.sees('"sku": "pot"', ".details");
  assert.match(visit.page.url(), /step=label%5B1%5D\.print/);
  await visit.press(/^checks\.reserve\b.*completed/);
  await visit.sees("UNAVAILABLE", ".details");
  await visit.keeps("step-details");

  await visit.page.getByRole("tab", { name: "Events" }).click();
  await visit.sees("run ended", ".event-list");
  await visit.fills("Only events with", "attempt_ended");
  await visit.page.locator(".event-list summary").first().click();
  await visit.sees('"kind": "attempt_ended"');
  await visit.keeps("events");
  await visit.page.getByRole("tab", { name: "Input and output" }).click();
  await visit.sees('"paid": 129');
});

scene(
  "a step whose failure was caught is not said to be done: its error and what came instead are there",
  async ({ site, visit }) => {
    await site.start("order", order("Nobody Home"), { run_id: "caught" });
    await site.ended("caught");
    await visit.go("/runs/caught?step=tell");
    await visit.status("completed");
    await visit.step(/^tell\b.*failed, caught/).waitFor();
    await visit.step(/^letter\b.*completed/).waitFor();
    await visit.sees("NOT_FOUND", ".details .failure");
    await visit.sees('"by": "post"', ".details");
    await visit.keeps("run-caught");
  },
);

scene("a run that fails is seen to roll back", async ({ visit }) => {
  await fillOrder(visit, "Slow Ada", "nobody");
  await visit.press("Start order");
  await visit.status("compensating");
  await visit.step(/^charge\b.*(being undone|undone)/).waitFor();
  await visit.status("compensated");
  await visit.sees("1. undone", "[data-path=charge]");
  await visit.sees("2. undone", "[data-path='checks.reserve']");
  await visit.sees("FAILED_PRECONDITION", "main");
  await visit.follows("steps[4].switch[1].drive", "main");
  await visit.sees("The service refused: it did not happen.", ".details");
  await visit.keeps("run-compensated");
});

scene("a parked compensation is rescued with another request", async ({ site, visit }) => {
  await site.start("order", order("Closed Account", "nobody"), { run_id: "stuck" });
  await visit.go("/runs");
  await visit.follows(/^needs attention 1/);
  await visit.follows("stuck");
  await visit.status("needs attention");
  await visit.press("Resolve…");
  await visit.page.getByRole("textbox", { name: "Request" }).fill("{ this is no JSON");
  assert.ok(await visit.page.getByRole("button", { name: "Retry", exact: true }).isDisabled());
  await visit.keeps("rescue");
  await visit.page.getByRole("textbox", { name: "Request" }).fill(
    '{ "customer": "Ada", "charge": "ch-42" }',
  );
  await visit.fills("Reason, for the record", "The account was closed; refunded to another one");
  await visit.press(/^Retry$/);
  await visit.status("compensated");
  assert.equal(await visit.page.getByRole("region", { name: "Needs attention" }).count(), 0);
  await visit.page.getByRole("tab", { name: "Events" }).click();
  await visit.page.locator("summary", { hasText: "attention resolved" }).click();
  await visit.sees("The account was closed");
});

scene(
  "a parked compensation is skipped, and the run ends as incomplete",
  async ({ site, visit }) => {
    await site.start("order", order("Closed Account", "nobody"), { run_id: "stuck" });
    await visit.go("/runs/stuck");
    await visit.status("needs attention");
    await visit.press("Resolve…");
    await visit.page.getByLabel(/^Skip/).check();
    await visit.fills("Reason, for the record", "Paid back by hand");
    await visit.press(/^Skip$/);
    await visit.status("incomplete");
  },
);

scene(
  "a run gets the signal that it waits for; another one is cancelled",
  async ({ site, visit }) => {
    await site.start("approval", {}, { run_id: "first" });
    await site.start("approval", {}, { run_id: "second" });
    await visit.go("/runs/first");
    await visit.press("Send a signal");
    await visit.page.getByLabel("Data, as JSON").fill('{ "by": "Grace" }');
    await visit.keeps("signal");
    await visit.press(/^Send$/, "dialog");
    await visit.status("completed");
    await visit.go("/runs/second");
    await visit.status("running");
    await visit.press("Cancel the run", "main");
    await visit.press("Cancel the run", "dialog");
    await visit.status("cancelled");
  },
);

scene("a breaker is forced open, and reset", async ({ site, visit }) => {
  await site.start("order", order("Ada"), { run_id: "before" });
  await site.ended("before");
  await visit.go("/services");
  await visit.sees(/3 calls, 0 failed/, "li:has(h2 a:text('payments'))");
  await visit.press("Force open payments");
  await visit.keeps("force-open");
  await visit.press(/^Force open$/, "dialog");
  await visit.sees("forced open", "li:has(h2 a:text('payments'))");
  await site.start("order", order("Ada"), { run_id: "held" });
  await visit.page.locator("li:has(h2 a:text('payments')) .figures div", {
    hasText: /1\s*held by breaker|held by breaker\s*1/,
  }).waitFor();
  await visit.keeps("services");
  await visit.press("Reset payments");
  await visit.sees("closed", "li:has(h2 a:text('payments'))");
  await site.ended("held");
});

scene("an old run is found among many", async ({ site, visit }) => {
  await site.start("approval", {}, { run_id: "old-one", correlation_id: "case-4711" });
  for (let n = 0; n < 120; n++) await site.start("approval", {}, { run_id: `run-${n}` });
  await visit.go("/runs");
  await visit.sees("run-119", ".list");
  await visit.sees("121", ".status-filter");
  await visit.follows("Older →");
  await visit.sees("run-69", ".list");
  await visit.follows("Older →");
  await visit.sees("old-one", ".list");
  await visit.sees("These are the oldest");
  await visit.keeps("oldest-runs");
  await visit.page.goBack();
  await visit.sees("run-69", ".list");
  await visit.follows("← Newest");
  await visit.sees("run-119", ".list");
  await visit.page.getByLabel("Run or correlation id").fill("e-47");
  await visit.page.locator(".list tr:has-text('run-119')").waitFor({ state: "detached" });
  assert.deepEqual(await visit.texts(".row-link"), ["old-one"]);
  assert.match(visit.page.url(), /text=e-47/);
  await visit.page.getByLabel("Workflow").selectOption("order");
  await visit.sees("No run fits these filters");
  await visit.keeps("no-run-fits");
  await visit.follows("Show all runs");
  await visit.sees("run-119", ".list");
});

scene("the list shows runs as they start and end", async ({ site, visit }) => {
  await visit.go("/runs");
  await visit.sees("Nothing has run yet");
  await visit.keeps("no-runs");
  await site.start("order", order("Ada"), { run_id: "fresh" });
  await visit.sees("running", ".list tr:has-text('fresh')");
  await visit.sees("completed", ".list tr:has-text('fresh')");
  await visit.page.locator(".chip", { hasText: /completed\s*1/ }).waitFor();
  await visit.keeps("runs");
});

scene(
  "a workflow shows its graph, its text, and what is wrong with its file",
  async ({ visit }) => {
    await visit.go("/workflows");
    await visit.sees("file broken");
    await visit.keeps("workflows");
    await visit.follows("broken.yaml");
    await visit.sees(/did you mean/i);
    await visit.keeps("broken-workflow");
    await visit.go("/workflows/order");
    await visit.step(/^charge\b/).click();
    await visit.sees("payments · Refund", "main dl");
    await visit.keeps("workflow");
    await visit.page.getByRole("tab", { name: "Graph" }).press("ArrowRight");
    await visit.sees("# Takes an order, from stock to parcel.");
    assert.match(visit.page.url(), /view=definition/);
    await visit.keeps("definition");
  },
);

scene("what the form can't know, the server says, at its field", async ({ visit }) => {
  await fillOrder(visit, "Ada", "parcel");
  await visit.press("Write it as JSON");
  await visit.page.getByLabel("Input, as JSON").fill('{ "customer": 7, "items": [] }');
  await visit.press("Start order");
  await visit.sees(/input\.customer/);
  await visit.expected.push(/400/);
  await visit.press("Use the form");
  await visit.page.locator(".field", { hasText: "customer" }).locator(".field-error").waitFor();
  await visit.keeps("input-refused");
});

scene("what is not there, and a server that is gone, are said", async ({ site, visit }) => {
  visit.expected.push(/404/, /ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/);
  await visit.go("/runs/nobody");
  await visit.sees("There is no such run");
  await visit.keeps("no-such-run");
  await visit.go("/workflows/nothing");
  await visit.sees("There is no such workflow");
  await visit.go("/runs");
  await visit.sees("live", ".connection");
  await site.server.close();
  await visit.sees("reconnecting", ".connection");
  await visit.follows("Services");
  await visit.sees("Cannot reach the server");
  await visit.keeps("server-gone");
});

scene("a token is asked for once, and a viewer is told what needs more", async ({ visit }) => {
  visit.expected.push(/401/);
  await using files = await tempFiles({ tokens: `vera viewer ${sha256("look-only")}\n` });
  const tokens = new Tokens(files.path("tokens"));
  await using site = await openSite({ tokens });
  await site.start("approval", {}, { run_id: "guarded" });
  await visit.page.goto(`${site.url}/services`);
  await visit.sees("This server wants a token");
  await visit.page.keyboard.press("Escape");
  await visit.page.waitForTimeout(2_000); // longer than until the view would ask again
  assert.equal(await visit.page.locator("dialog").count(), 0);
  await visit.page.goto(`${site.url}/runs`);
  await visit.sees("This server wants a token");
  await visit.keeps("token");
  await visit.page.getByLabel("Token", { exact: true }).fill("wrong");
  await visit.press("Go on");
  await visit.sees("The token that was entered is not known here.");
  await visit.page.getByLabel("Token", { exact: true }).fill("look-only");
  await visit.press("Go on");
  await visit.sees("guarded", ".list");
  await visit.page.reload();
  await visit.follows("guarded");
  await visit.status("running");
  await visit.sees("To cancel a run or send it a signal takes the role operator; yours is viewer.");
  assert.equal(
    await visit.page.getByRole("button", { name: /^(Cancel the run|Send a signal)$/ }).count(),
    0,
  );
  await visit.keeps("viewer");
  await visit.page.goto(`${site.url}/workflows/approval?view=start`);
  await visit.sees("To start a run takes the role operator; yours is viewer.");
  assert.equal(await visit.page.getByRole("button", { name: /^Start/ }).count(), 0);
  await visit.press("Forget token");
  await visit.sees("This server wants a token");
});

scene("everything can be done with the keyboard", async ({ site, visit }) => {
  await site.start("order", order("Ada"), { run_id: "keyed" });
  await site.ended("keyed");
  const { keyboard } = visit.page;
  await visit.go("/services");
  await visit.reads("Services");
  await keyboard.press("?");
  await visit.sees("Runs that need attention", "dialog");
  await visit.keeps("keys");
  await keyboard.press("Escape");
  await visit.page.locator("dialog").waitFor({ state: "detached" });
  await keyboard.press("g");
  await keyboard.press("r");
  await visit.reads("Runs");
  await visit.sees("keyed", ".list");
  await keyboard.press("j");
  await keyboard.press("Enter");
  await visit.status("completed");
  assert.equal(await visit.page.evaluate("document.activeElement.tagName"), "H1");
  await visit.step(/^charge\b/).focus();
  await keyboard.press("Enter");
  await visit.sees("payments · Charge", ".details");
  await keyboard.press("/");
  await keyboard.type("nothing-like-it");
  await visit.sees("No run fits these filters");
}, { screens: SCREENS.slice(0, 1) });

scene("the page is as readable in the dark", async ({ site, visit }) => {
  await site.start("order", order("Closed Account", "nobody"), { run_id: "stuck" });
  await visit.go("/runs/stuck?step=charge");
  await visit.status("needs attention");
  await visit.press("Resolve…");
  await visit.keeps("dark-rescue");
  for (const view of ["runs", "workflows", "workflows/order?view=start", "services"]) {
    await visit.go(`/${view}`);
    await visit.page.locator(".loading").waitFor({ state: "detached" });
    await visit.keeps(`dark-${view.replaceAll(/\W+/g, "-")}`);
  }
  await visit.press(/^Colours: auto/);
  await visit.press(/^Colours: light/);
  assert.equal(await visit.page.evaluate("document.documentElement.dataset.theme"), "dark");
}, { screens: SCREENS.map((screen) => ({ ...screen, name: `${screen.name}-dark`, dark: true })) });

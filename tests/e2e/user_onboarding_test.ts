// examples/user_onboarding, by the real program, against services in every language.

import assert from "node:assert/strict";
import { maestro } from "../cli/program.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { fromFileUrl } from "../support/paths.ts";

const FOLDER = fromFileUrl(new URL("../../examples/user_onboarding", import.meta.url));
const SERVICES = ["accounts", "payments", "rewards", "mail"];

/** Runs the example. @returns its exit code, its report, and `DONE Method` of what the services did */
async function onboard(examples: ExampleServices, input: readonly string[]) {
  const { code, stdout, stderr } = await maestro(
    [
      "run",
      "workflow.yaml",
      ...input,
      "--store",
      "memory",
      "--output",
      "json",
      ...examples.endpoints(SERVICES),
    ],
    { cwd: FOLDER },
  );
  assert.notEqual(stdout, "", stderr);
  const report = JSON.parse(stdout);
  const entries = await examples.ledger(report.run_id);
  const done = entries.map(({ state, method }) => `${state} ${method.replace(/^.*\//, "")}`);
  return { code, report, stderr, done };
}

/** The two branches of `details` may end in either order. */
function twoSorted(done: readonly string[]): string[] {
  return [...done.slice(0, 1), ...done.slice(1, 3).sort(), ...done.slice(3)];
}

for (const languages of [["deno"], ["python", "go", "node"]] as const) {
  exampleTest(`user_onboarding against services in ${languages.join(", ")}`, languages, async (
    examples,
    t,
  ) => {
    await t.step("onboards a premium customer with perks", async () => {
      const { code, report, done } = await onboard(examples, ["--input", "@input.json"]);
      assert.equal(code, 0);
      assert.equal(report.status, "completed");
      const { created_at, welcome_email_id, ...output } = report.output;
      assert.deepEqual(output, {
        account_id: `acc-${report.run_id}`,
        display_name: "Ada Lovelace",
        payment_method_id: `pm-${report.run_id}`,
        perks: ["PERK_FREE_SHIPPING", "PERK_PRIORITY_SUPPORT"],
      });
      assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      assert.match(welcome_email_id, /^em_./);
      assert.deepEqual(twoSorted(done), [
        "DONE CreateAccount",
        "DONE AddPaymentMethod",
        "DONE CreateProfile",
        "DONE GrantPerks",
        "DONE SendWelcome",
      ]);
    });

    await t.step("undoes what was done when the card is declined, and ends with 1", async () => {
      const { code, report, stderr, done } = await onboard(examples, [
        "--input",
        "@input_failing.json",
      ]);
      assert.equal(code, 1);
      assert.equal(report.status, "compensated");
      assert.equal(report.error.step, "details.add_payment_method");
      assert.equal(report.error.code, "FAILED_PRECONDITION");
      assert.equal(report.error.reason, "CARD_DECLINED");
      // The profile is made beside the card: it may be declined before the profile is begun.
      assert.deepEqual(done.filter((line) => !line.endsWith("Profile")), [
        "DONE CreateAccount",
        "UNDONE DeleteAccount",
      ]);
      const profile = done.filter((line) => line.endsWith("Profile"));
      if (profile.length > 0) {
        assert.deepEqual(done.slice(1, 3), profile);
        assert.match(profile.join(), /^DONE CreateProfile,UNDONE DeleteProfile$/);
      }
      assert.match(stderr, /CARD_DECLINED/);
      assert.match(stderr, /Undone: (details\.create_profile, )?create_account/);
    });

    await t.step("skips the perks of a standard customer", async () => {
      const { code, report, done } = await onboard(examples, [
        "--input",
        "@input.json",
        "--set",
        "tier=standard",
        "--set",
        "email=grace@example.com",
      ]);
      assert.equal(code, 0);
      assert.deepEqual(report.output.perks, []);
      const statuses = report.steps.map(({ path, status }: Record<string, string>) => [
        path,
        status,
      ]);
      assert.equal(Object.fromEntries(statuses).grant_perks, "skipped");
      assert.ok(!done.includes("DONE GrantPerks"));
      assert.ok(done.includes("DONE SendWelcome"));
    });
  });
}

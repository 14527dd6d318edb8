import assert from "node:assert/strict";
import { MaestroError } from "../../src/errors.ts";
import { defectText } from "../../src/cli/defect.ts";
import { releaseWarning } from "../../src/cli/deno_release.ts";
import { parseEndpoints, parseRunId, parseTimeout } from "../../src/cli/run_options.ts";
import { applySetting, parseSetting } from "../../src/cli/set_option.ts";
import { MAX_DURATION } from "../../src/workflow/durations.ts";
import { formatTime, printable, shorten } from "../../src/cli/text.ts";

Deno.test("--set takes JSON as JSON, and anything else as text", () => {
  for (
    const [text, path, value] of [
      ["age=42", ["age"], 42],
      ["name=Ada", ["name"], "Ada"],
      ["user.email=a=b", ["user", "email"], "a=b"],
      ["zip=01067", ["zip"], "01067"],
      ['zip="42"', ["zip"], "42"],
      ["on=true", ["on"], true],
      ["none=null", ["none"], null],
      ["list=[1, 2]", ["list"], [1, 2]],
      ["empty=", ["empty"], ""],
      ["broken={a", ["broken"], "{a"],
    ] as const
  ) {
    assert.deepEqual(parseSetting(text), { path, value }, text);
  }
});

Deno.test("--set goes over the input and leaves the rest", () => {
  const input = { user: { name: "Ada", tier: "gold" }, n: 1 };
  assert.deepEqual(applySetting(input, parseSetting("user.tier=silver")), {
    user: { name: "Ada", tier: "silver" },
    n: 1,
  });
  assert.deepEqual(applySetting({}, parseSetting("a.b.c=1")), { a: { b: { c: 1 } } });
  assert.equal(input.user.tier, "gold");
});

Deno.test("--set reaches no prototype", () => {
  const set = applySetting({}, parseSetting("__proto__.polluted=true"));
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.equal(JSON.stringify(set), '{"__proto__":{"polluted":true}}');
});

Deno.test("an endpoint's value may hold what it likes", () => {
  assert.deepEqual(parseEndpoints(["a=dns:///h:1", "b=unix:/x=y"], ["a", "b"]), {
    a: "dns:///h:1",
    b: "unix:/x=y",
  });
});

Deno.test("a timeout is a duration", () => {
  assert.equal(parseTimeout("1h30m"), 5_400_000);
  for (const bad of ["", "0s", "5", "-1s"]) assert.throws(() => parseTimeout(bad), MaestroError);
  assert.equal(parseTimeout("36500d"), MAX_DURATION);
  assert.throws(() => parseTimeout("36501d"), /at most 36500d$/);
});

Deno.test("a run's id is none that other commands would take for an option", () => {
  assert.equal(parseRunId("order-1"), "order-1");
  for (const bad of ["-x", "--store", "", "a b"]) {
    assert.throws(() => parseRunId(bad), MaestroError);
  }
});

Deno.test("only the releases of Deno that can't be trusted are warned of", () => {
  const warned = ["1.46.3", "2.6.9", "2.9.4", "2.9.5", "2.9.6", "2.9.5+abc"];
  for (const version of warned) assert.ok(releaseWarning(version)?.includes("2.9.3"), version);
  for (const version of ["2.7.0", "2.9.3", "2.9.7", "2.10.0", "3.0.0"]) {
    assert.equal(releaseWarning(version), null, version);
  }
});

Deno.test("times are short", () => {
  for (
    const [milliseconds, text] of [
      [0, "0ms"],
      [999, "999ms"],
      [1_000, "1.0s"],
      [9_949, "9.9s"],
      [9_950, "10s"],
      [59_400, "59s"],
      [59_600, "1m00s"],
      [123_000, "2m03s"],
      [3_720_000, "1h02m"],
      [-5, "0ms"],
    ] as const
  ) assert.equal(formatTime(milliseconds), text);
});

Deno.test("what comes from outside can't steer a terminal", () => {
  assert.equal(
    printable("a\n  b\u001b[31mred\u0007\u009b1m\u202e"),
    "a b\\u001b[31mred\\u0007\\u009b1m\\u202e",
  );
  assert.equal(shorten("abcdef", 4), "abc…");
  assert.equal(shorten("abcd", 4), "abcd");
});

Deno.test("a defect says how to report it, and shows its stack only where detail is asked for", () => {
  const thrown = new Error("boom");
  const plain = (_: string, text: string) => text;
  const brief = defectText(thrown, ["run", "x.yaml"], plain);
  assert.match(brief, /^error: .*boom\n.*report it/);
  assert.ok(!brief.includes("options_test.ts"));
  assert.ok(
    defectText(thrown, ["run", "x.yaml", "--log-level", "debug"], plain).includes(
      "options_test.ts",
    ),
  );
  assert.ok(
    defectText(thrown, ["run", "x.yaml", "--log-level=trace"], plain).includes("options_test.ts"),
  );
});

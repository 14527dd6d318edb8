import { deepEqual, equal, throws } from "node:assert/strict";
import { definitionDigest } from "../../src/workflow/digest.ts";
import { formatDuration, guessDuration, parseDuration } from "../../src/workflow/durations.ts";
import { parseJson } from "../../src/workflow/json_text.ts";
import { didYouMean } from "../../src/workflow/nearest.ts";
import { besideFile } from "../../src/workflow/paths.ts";
import { formatProblem } from "../../src/workflow/problems.ts";
import { guessSize, parseSize } from "../../src/workflow/sizes.ts";
import { whyUnreadable } from "../../src/workflow/unreadable.ts";
import { valid } from "../support/parsing.ts";
import { FIRST } from "../support/workflows.ts";

Deno.test("parseDuration() reads what language.md shows, and no more", () => {
  const table: Readonly<Record<string, number | null>> = {
    "250ms": 250,
    "30s": 30_000,
    "5m": 300_000,
    "1h30m": 5_400_000,
    "2d": 172_800_000,
    "1.5s": 1500,
    "0s": 0,
    "": null,
    "30": null,
    "s": null,
    "30 s": null,
    "30m1h": null,
    "-1s": null,
    "1s1s": null,
    "5min": null,
    "1e3s": null,
  };
  for (const [text, expected] of Object.entries(table)) equal(parseDuration(text), expected, text);
});

Deno.test("formatDuration() is read back as the same", () => {
  for (const milliseconds of [0, 1, 999, 1000, 61_000, 5_400_000, 172_800_001]) {
    equal(parseDuration(formatDuration(milliseconds)), milliseconds);
  }
});

Deno.test("guessDuration() finds the spelling that was probably meant", () => {
  const table = [
    [30, "30s"],
    ["30", "30s"],
    [0.5, "500ms"],
    [1500, "1s500ms"],
    [90, "1m30s"],
    ["5 min", "5m"],
    ["1 hour, 30 minutes", "1h30m"],
    ["2 Days", "2d"],
    ["30 S", "30s"],
    [-1, null],
    [0, null],
    ["soon", null],
    ["5 parsecs", null],
  ] as const;
  for (const [written, expected] of table) equal(guessDuration(written), expected, String(written));
});

Deno.test("parseSize() reads binary units; guessSize() finds what was meant by others", () => {
  deepEqual(["512KiB", "4MiB", "1.5GiB", "100B", "4MB", "4"].map(parseSize), [
    524_288,
    4_194_304,
    1_610_612_736,
    100,
    null,
    null,
  ]);
  deepEqual(["4MB", "4 mib", "4m", 4, 4_194_304, 5000, "large"].map(guessSize), [
    "4MiB",
    "4MiB",
    "4MiB",
    "4MiB",
    "4MiB",
    "5000B",
    null,
  ]);
});

Deno.test("didYouMean() names what is near, and nothing that isn't", () => {
  const words = ["timeout", "retry", "max_delay", "id"];
  const table = {
    tiemout: "timeout",
    maxDelay: "max_delay",
    "max-delay": "max_delay",
    rety: "retry",
    x: "",
    banana: "",
  };
  for (const [written, expected] of Object.entries(table)) {
    equal(didYouMean(written, words), expected && `; did you mean "${expected}"?`, written);
  }
});

Deno.test("besideFile() resolves a path from the file that says it", () => {
  const table = [
    ["w.yaml", "a.proto", "a.proto"],
    ["w.yaml", "./a.proto", "a.proto"],
    ["dir/w.yaml", "../a.proto", "a.proto"],
    ["/abs/w.yaml", "a/b.proto", "/abs/a/b.proto"],
    ["dir/w.yaml", "/abs/a.proto", "/abs/a.proto"],
    ["./w.yaml", "a.proto", "a.proto"],
    ["dir/w.yaml", "{{ .env.CA }}", "{{ .env.CA }}"],
    ["dir/w.yaml", "ca/{{ .env.A + '/../' }}", "dir/ca/{{ .env.A + '/../' }}"],
  ] as const;
  for (const [file, path, expected] of table) {
    equal(besideFile(file, path), expected, `${file} ${path}`);
  }
});

Deno.test("parseJson() reads JSON", () => {
  deepEqual(parseJson('{"a": [1, "b", null, 9007199254740992, 1e20, 1.5]}', "--input"), {
    a: [1, "b", null, 9007199254740992, 1e20, 1.5],
  });
});

for (
  const [what, text, message] of [
    [
      "an integer that loses digits",
      '{\n  "id": 9007199254740993 }',
      '--input:2:9: The integer 9007199254740993 is beyond 2^53 and would lose digits: write it as a string, "9007199254740993"',
    ],
    [
      "an integer whose digits stand in strings and keys before it",
      '{"9007199254740993": "9007199254740993", "y": [9007199254740993]}',
      '--input:1:48: The integer 9007199254740993 is beyond 2^53 and would lose digits: write it as a string, "9007199254740993"',
    ],
    [
      "integers that lose digits, each once",
      "\uFEFF[9007199254740993, -9007199254740993,\n 9007199254740993]",
      '--input:1:3: The integer 9007199254740993 is beyond 2^53 and would lose digits: write it as a string, "9007199254740993"\n' +
      '--input:1:21: The integer -9007199254740993 is beyond 2^53 and would lose digits: write it as a string, "-9007199254740993"',
    ],
    [
      "a syntax error",
      '{"a": 1,\n }',
      "--input:2:2: Not JSON: expected double-quoted property name",
    ],
    ["text that ends too early", '{"a": ', "--input:1:7: Not JSON: unexpected end of JSON input"],
    ["nothing", " ", "--input:1:2: Not JSON: there is nothing"],
    ["a bare word", "abc", "--input:1:1: Not JSON: unexpected token 'a'"],
  ] as const
) {
  Deno.test(`parseJson() refuses ${what}`, () => {
    throws(() => parseJson(text, "--input"), { code: "INPUT_INVALID", message });
  });
}

Deno.test("whyUnreadable() has plain words for what the operating system says", () => {
  const named = (name: string) =>
    Object.assign(new Error("x (os error 1): readfile 'a'"), { name });
  equal(whyUnreadable(named("NotFound")), "there is no such file");
  equal(whyUnreadable(named("PermissionDenied")), "you have no permission to read it");
  equal(whyUnreadable(named("IsADirectory")), "it is a directory; name a file in it");
  equal(whyUnreadable(named("Error")), "x");
  equal(whyUnreadable("odd"), "odd");
});

Deno.test("definitionDigest() changes with what a workflow says, not with where it says it", () => {
  const digest = definitionDigest(valid(FIRST));
  equal(/^[0-9a-f]{64}$/.test(digest), true);
  equal(definitionDigest(valid(`# a comment\n\n${FIRST}`)), digest);
  equal(definitionDigest(valid(FIRST.replace("attempts: 3", "attempts: 4"))) === digest, false);
  equal(definitionDigest(valid(FIRST.replace("DeleteUser", "RemoveUser"))) === digest, false);
});

Deno.test("formatProblem() shows the line with a caret under the place", () => {
  const problem = {
    severity: "warning",
    code: "x",
    message: "Careful",
    file: "a.yaml",
    line: 2,
    column: 4,
  } as const;
  equal(
    formatProblem(problem, "one\n\ttwo three\n"),
    "a.yaml:2:4: warning: Careful\n  \ttwo three\n  \t  ^",
  );
  equal(formatProblem(problem), "a.yaml:2:4: warning: Careful");
  equal(
    formatProblem({ ...problem, file: null, line: null, column: null }, "one"),
    "warning: Careful",
  );
});

Deno.test("formatProblem() cuts a long line around the caret", () => {
  const text = `${"a".repeat(500)}!${"b".repeat(500)}`;
  const shown = formatProblem({
    severity: "error",
    code: "x",
    message: "Here",
    file: "a",
    line: 1,
    column: 501,
  }, text);
  const [, line = "", caret = ""] = shown.split("\n");
  equal(line.length <= 122, true);
  equal(line[caret.indexOf("^")], "!");
});

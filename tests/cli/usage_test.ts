import assert from "node:assert/strict";
import { maestro, steady } from "./program.ts";

const HELLO = `name: hello
input:
  type: object
  additionalProperties: false
  required: [who]
  properties: { who: { type: string }, age: { type: integer } }
services:
  payments: { endpoint: "127.0.0.1:1" }
steps:
  - set: { greeting: "{{ 'Hello ' + .input.who }}" }
`;

async function withFiles(use: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "maestro_usage_" });
  try {
    await Deno.writeTextFile(`${cwd}/hello.yaml`, HELLO);
    await Deno.writeTextFile(`${cwd}/empty.yaml`, "");
    await Deno.writeTextFile(`${cwd}/big.yaml`, `# ${"x".repeat(5 * 1024 * 1024)}\n`);
    await Deno.writeTextFile(`${cwd}/notyaml.yaml`, "name: [\nsteps: }{\n");
    await Deno.writeFile(`${cwd}/binary.yaml`, new Uint8Array([0xff, 0xfe, 0x00, 0x80]));
    await Deno.writeTextFile(`${cwd}/wrong.yaml`, "name: wrong\nstesp: []\n");
    await Deno.writeTextFile(`${cwd}/list.json`, "[1]\n");
    await Deno.writeTextFile(`${cwd}/broken.json`, '{\n  "who": "Ada",\n}\n');
    await Deno.writeTextFile(`${cwd}/nothing`, "");
    await use(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** Arguments that can't be followed: each ends with 2, one message, and no stack trace. */
const MISUSES: readonly (readonly string[])[] = [
  [],
  ["rn", "hello.yaml"],
  ["serve", "--port", "80"],
  ["run"],
  ["run", "hello.yaml", "another.yaml"],
  ["run", "missing.yaml"],
  ["run", "."],
  ["run", "empty.yaml"],
  ["run", "big.yaml"],
  ["run", "notyaml.yaml"],
  ["run", "binary.yaml"],
  ["run", "wrong.yaml"],
  ["run", "hello.yaml", "--inptu", "{}"],
  ["run", "hello.yaml", "--input"],
  ["run", "hello.yaml", "--input", "{who: Ada}"],
  ["run", "hello.yaml", "--input", "@missing.json"],
  ["run", "hello.yaml", "--input", "@broken.json"],
  ["run", "hello.yaml", "--input", "@list.json"],
  ["run", "hello.yaml", "--input", "-"],
  ["run", "hello.yaml", "--input", '{"who": 12345678901234567890}'],
  ["run", "hello.yaml", "--input", '{"who": 1, "nme": "Ada"}'],
  ["run", "hello.yaml", "--set", "who"],
  ["run", "hello.yaml", "--set", "who..name=Ada"],
  ["run", "hello.yaml", "--set", "who=Ada", "--set", "who.name=Ada"],
  ["run", "hello.yaml", "--set", "age=old", "--set", "who=Ada"],
  ["run", "hello.yaml", "--endpoint", "payments"],
  ["run", "hello.yaml", "--endpoint", "paymnts=localhost:50051"],
  ["run", "hello.yaml", "--endpoint", "payments=http://localhost:50051"],
  ["run", "hello.yaml", "--secret", "TOKEN=s3cret"],
  ["run", "hello.yaml", "--secret", "TOKEN=@missing.txt"],
  ["run", "hello.yaml", "--secret", "TOKEN=@nothing"],
  ["run", "hello.yaml", "--timeout", "30"],
  ["run", "hello.yaml", "--timeout", "soon"],
  ["run", "hello.yaml", "--run-id", "a/b"],
  ["run", "hello.yaml", "--store", "sqlite:"],
  ["run", "hello.yaml", "--retention", "30 days"],
  ["run", "hello.yaml", "--store", "postgres"],
  ["run", "hello.yaml", "--output", "xml"],
  ["run", "hello.yaml", "--log-level", "loud"],
  ["run", "hello.yaml", "--log-file", "missing/maestro.log"],
  ["validate"],
  ["validate", "missing.yaml", "wrong.yaml"],
  ["schema", "extra"],
];

for (const args of MISUSES) {
  const name = `maestro ${args.join(" ")}`.trim();
  Deno.test(`${name} ends with 2 and says what to do`, async (t) => {
    await withFiles(async (cwd) => {
      const pretty = args[0] === "run" && !args.includes("--output")
        ? ["run", "--output", "pretty", ...args.slice(1)]
        : args;
      const { code, stdout, stderr } = await maestro(pretty, { cwd, stdin: "" });
      assert.equal(code, 2);
      assert.doesNotMatch(stderr, /\n\s+at .*\.ts/, "a stack trace");
      assert.ok(!stderr.includes("s3cret"));
      if (args[0] !== "validate") assert.equal(stdout, "");
      await t.assertSnapshot(steady(stderr));
    });
  });
}

Deno.test("a problem is one JSON object on standard output where programs read it", async () => {
  await withFiles(async (cwd) => {
    for (const args of [["run", "wrong.yaml"], ["execute", "hello.yaml", "--nope"]]) {
      const { code, stdout, stderr } = await maestro([...args, "--quiet"], { cwd });
      assert.equal(code, 2);
      const { problems } = JSON.parse(stdout);
      assert.ok(problems.length > 0);
      for (const problem of problems) {
        assert.deepEqual(Object.keys(problem), [
          "severity",
          "code",
          "message",
          "file",
          "line",
          "column",
        ]);
      }
      assert.equal(stderr, "");
    }
  });
});

Deno.test("validate prints problems on standard error, and passes a sound file", async (t) => {
  await withFiles(async (cwd) => {
    const bad = await maestro(["validate", "hello.yaml", "wrong.yaml"], { cwd });
    assert.equal(bad.code, 2);
    assert.match(bad.stdout, /^hello\.yaml: .*\nwrong\.yaml: \d+ errors?\n$/);
    assert.match(bad.stderr, /^wrong\.yaml:\d+:\d+: /m);
    const json = await maestro(["validate", "wrong.yaml", "--output", "json"], { cwd });
    assert.equal(json.code, 2);
    assert.equal(JSON.parse(json.stdout).problems[0].file, "wrong.yaml");
    await t.assertSnapshot(bad.stderr);
  });
});

Deno.test("help lists what there is, with an example", async (t) => {
  const cwd = await Deno.makeTempDir();
  const runs = ["list", "show", "events", "resume", "cancel", "signal", "resolve", "prune"];
  const helps = [
    ["--help"],
    ["run", "--help"],
    ["help", "validate"],
    ["schema", "-h"],
    ["serve", "--help"],
    ["runs", "-h"],
    ...runs.map((verb) => ["runs", verb, "--help"]),
  ];
  for (const args of helps) {
    const { code, stdout, stderr } = await maestro(args, { cwd });
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /\nExample:\n {2}/);
    await t.assertSnapshot(stdout);
  }
  const { stdout } = await maestro(["--version"], { cwd });
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assert.equal(stdout, `maestro ${version} (deno ${Deno.version.deno})\n`);
  await Deno.remove(cwd);
});

Deno.test("schema prints a JSON Schema", async () => {
  const { code, stdout } = await maestro(["schema"], { cwd: "." });
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).$schema, "https://json-schema.org/draft/2020-12/schema");
});

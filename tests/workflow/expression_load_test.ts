/** What is told about expressions without evaluating them: as docs/language.md says it, and its limits. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  checkCondition,
  checkItems,
  checkTemplate,
  compileExpression,
  evaluateTemplate,
  templateRefs,
} from "../../src/workflow/expression.ts";
import { MaestroError } from "../../src/errors.ts";
import type { Value } from "../../src/workflow/value.ts";

const problems = (template: string, names: readonly string[] = []) =>
  checkTemplate(template, new Set(names)).map(({ code, message, offset }) =>
    `${offset} ${code}: ${message}`
  );

Deno.test("Go-template habits are recognised, with the CEL spelling", async (t) => {
  const habits = [
    "{{ .a | upper }}",
    "{{ .a | default 'x' }}",
    "{{ (.a | lower) == 'x' }}",
    "{{ .a | frobnicate }}",
    "{{- .a }}",
    "{{ .a -}}",
    "{{ eq .a .b }}",
    "{{ ne .a 'it is' }}",
    "{{ and .a .b }}",
    "{{ not .a }}",
    "{{ default 'x' .a }}",
    "{{ len .items }}",
    "{{ index .items 0 }}",
    "{{ printf '%s' .a }}",
    "{{ eq(.a, .b) }}",
    "{{ upper(.a) }}",
    "{{ if .a }}",
    "{{ else }}",
    "{{ end }}",
    "{{ range .items }}",
    "{{ with .a }}",
    "{{ template 'x' }}",
    "{{ $x := .a }}",
    "{{/* note */}}",
    "{{ .Values.image }}",
  ];
  await t.assertSnapshot(habits.flatMap((habit) => problems(habit)));
});

Deno.test("what only looks like Go is left alone", () => {
  const fine = [
    "{{ .a || .b }}",
    "{{ '|' }}",
    "{{ 'if a | b' }}",
    "{{ -.a }}",
    "{{ -1 }}",
    "{{-1}}",
    "{{ .a - 1 }}",
    "{{ .if_so && .end }}",
    "{{ .range.x }}",
    "{{ .a // | if\n }}",
    "{{ .a['$x'] }}",
    "{{ int(.a) in [1] }}",
    "{{ default(.eq, .len) }}",
  ];
  deepEqual(fine.flatMap((template) => problems(template)), []);
});

Deno.test("syntax errors say what is wrong and where", async (t) => {
  const wrong = [
    "{{ }}",
    "{{ .a + }}",
    "{{ .a .. b }}",
    "{{ (.a }}",
    "{{ .a ] }}",
    "{{ 'a' 'b' }}",
    "{{ .a and .b }}",
    "{{ .a === .b }}",
    "{{ .a = .b }}",
    "{{ .a ?? 'x' }}",
    "{{ .a?.b }}",
    "{{ .a.'b c' }}",
    "{{ .a.`b` }}",
    "{{ in }}",
    "{{ .a.in }}",
    "{{ 9223372036854775808 }}",
    "{{ acme.User{name: 'x'} }}",
    "text {{ .a",
    "{{ .a // note }}",
    "{{ .a == 'it's' }}",
    "{{ {'a': 1} ",
  ];
  await t.assertSnapshot(wrong.flatMap((template) => problems(template)));
});

Deno.test("names and calls are checked", async (t) => {
  const wrong = [
    "{{ user }}",
    "{{ user.name }}",
    "{{ .a[b] }}",
    "{{ .input.a-b }}",
    "{{ [1].map(x, y) }}",
    "{{ nope(.a) }}",
    "{{ .a.upperAsci() }}",
    "{{ upperAscii(.a) }}",
    "{{ .a.json() }}",
    "{{ .a.default('x') }}",
    "{{ default(.a) }}",
    "{{ has(.a == 1) }}",
    "{{ .a.split() }}",
    "{{ size(.a, .b) }}",
    "{{ .a.map(1, 2) }}",
    "{{ map(.a) }}",
    "{{ x + y }} and {{ z }}",
  ];
  await t.assertSnapshot(wrong.flatMap((template) => problems(template)));
});

Deno.test("a loop variable must not hide a root or a bound name", () => {
  for (const root of ["input", "run", "env", "secrets", "steps", "error"]) {
    equal(checkTemplate(`{{ [1].map(${root}, 1) }}`)[0]?.code, "shadowed_root", root);
    throws(() => compileExpression(`[1].all(${root}, true)`), { code: "EXPRESSION_ERROR" });
  }
  deepEqual(problems("{{ .l.filter(user, true) }}", ["user"]), [
    '5 shadowed_root: Cannot read {{ .l.filter(user, true) }}: the loop variable "user" hides .user; give it another name',
  ]);
  deepEqual(problems("{{ .l.filter(user, true) }}", ["order"]), []);
});

Deno.test("an expression that is too large is refused before anything recurses through it", () => {
  const told = (source: string) =>
    problems(`{{ ${source} }}`).map((text) => text.replace(/{{.*}}/, "…"));
  const deep = (open: string, close: string, depth: number) =>
    `${open.repeat(depth)}1${close.repeat(depth)}`;
  for (const [open, close] of [["(", ")"], ["[", "]"], ["size(", ")"], ["{1:", "}"]] as const) {
    deepEqual(told(deep(open, close, 100)), [], open);
    const [problem = ""] = told(deep(open, close, 101));
    ok(
      problem.endsWith(
        "expression_syntax: Cannot read …: it is nested too deeply: more than 100 brackets",
      ),
      problem,
    );
    equal(told(deep(open, close, 50_000)).length, 1, open);
  }
  deepEqual(told(`'${"(".repeat(10_000)}' // ${"[".repeat(10_000)}\n`), []);
  for (const part of ["1+", "true ? 1 : ", ".input.a"]) {
    const row = (count: number) =>
      part === ".input.a" ? `.input${".a".repeat(count)}` : `${part.repeat(count)}1`;
    deepEqual(told(row(900)), [], part);
    const [problem = ""] = told(row(1_100));
    ok(problem.endsWith("it has too many operators in a row: more than 1000"), problem);
  }
  const [problem = ""] = told("1+".repeat(100_000) + "1");
  ok(problem.endsWith("it is too long: more than 5000 words and signs"), problem);
});

Deno.test("checkTemplate() tells the string and the place in it", () => {
  deepEqual(
    checkTemplate({ a: ["fine", "x {{ nope }} {{ .ok }} {{ also }}"] })
      .map(({ at, offset, code }) => [at, offset, code]),
    [[["a", 1], 5, "expression_name"], [["a", 1], 26, "expression_name"]],
  );
  deepEqual(templateRefs({ a: "{{ nope }}" }), []);
});

Deno.test("checkCondition() refuses what can't be a bool", () => {
  const maybe = [
    "{{ .a }}",
    "{{ .a.b[0] }}",
    "{{ .a == 1 }}",
    "{{ !.a && .b || .c }}",
    "{{ has(.a.b) }}",
    "{{ has(.a) }}",
    "{{ 1 in .a }}",
    "{{ .a.exists(x, x) }}",
    "{{ .a.exists_one(x, x) }}",
    "{{ .a ? .b : 1 }}",
    "{{ default(.a, 1) }}",
    "{{ bool(.a) }}",
    "{{ .a.startsWith('x') }}",
    "{{ dyn(.a) }}",
    "{{ true }}",
    " {{ .a }}\n",
  ];
  deepEqual(maybe.flatMap((text) => checkCondition(text)), []);
  const never = [
    "{{ 1 }}",
    "{{ 'true' }}",
    "{{ null }}",
    "{{ [] }}",
    "{{ {} }}",
    "{{ .a + 1 }}",
    "{{ -.a }}",
    "{{ size(.a) }}",
    "{{ .a.map(x, x) }}",
    "{{ .a ? 1 : 'x' }}",
    "{{ string(.a) }}",
    "{{ .a.upperAscii() }}",
    "x {{ .a }}",
    "{{ .a }}{{ .b }}",
    "true",
  ];
  for (const text of never) {
    deepEqual(checkCondition(text).map(({ code }) => code), ["not_a_condition"], text);
  }
});

Deno.test("checkItems() refuses what can't be a list", () => {
  const maybe = [
    "{{ .a }}",
    "{{ .a.b[0] }}\n",
    "{{ [1, .a] }}",
    "{{ .a + [1] }}",
    "{{ .a.map(x, x) + .b.filter(x, true) }}",
    "{{ .a ? .b : [] }}",
    "{{ default(.a, []) }}",
    "{{ .a.split(',') }}",
    "{{ dyn(.a) }}",
  ];
  deepEqual(maybe.flatMap((text) => checkItems(text)), []);
  const never = [
    "{{ 5 }}",
    "{{ 'a' }}",
    "{{ null }}",
    "{{ true }}",
    "{{ {'a': 1} }}",
    "{{ .a == .b }}",
    "{{ .a + 'x' }}",
    "{{ .a - .b }}",
    "{{ .a.exists(x, x) }}",
    "{{ .a.exists_one(x, x) }}",
    "{{ .a.all(x, x) }}",
    "{{ .a ? 1 : 'x' }}",
    "{{ size(.a) }}",
    "{{ json(.a) }}",
    "{{ .a }}{{ .b }}",
    "{{ .a }} ",
    "a {{ .a }}",
  ];
  for (const text of never) {
    deepEqual(checkItems(text).map(({ code }) => code), ["no_list"], text);
  }
});

const list: readonly Value[] = Array.from({ length: 1000 }, (_, at) => at);
const text = "ab".repeat(2_000_000);

Deno.test("an expression that runs away stops, the same way each time", () => {
  const runaways = [
    ".list.map(a, .list.map(b, .list.map(c, a)))",
    ".list.all(a, .list.exists(b, string(a) == string(b)))",
    ".list.map(a, .list.map(b, '%f %s'.format([1.5, .list])))",
    ".list.map(a, .list.map(b, b in .list))",
    ".list.map(a, .list.map(b, .list == .list))",
    ".list.map(a, .list.map(b, .text.contains('x')))",
    ".list.map(a, sha256(.text))",
    ".list.map(a, base64(.text))",
    ".list.map(a, .text.matches('[a-z]*[0-9]'))",
    ".list.map(a, .list.map(b, 'x'.matches('(a|b)*c{2,900}')))",
    ".list.map(a, json(.list + .list + .list + .list))",
    ".list.map(a, .text.split('a'))",
    ".list.map(a, .text.upperAscii())",
    ".list.map(a, .list.map(b, timestamp(0).getHours('Europe/Berlin')))",
    ".text + .text + .text",
    ".text.replace('a', .text)",
    ".list.map(a, .text).join()",
    "'%s%s%s'.format([.text, .text, .text])",
    `[[1]]${".map(a, [a, a, a, a, a, a, a, a])".repeat(12)}`,
    `json([[1]]${".map(a, [a, a, a, a, a, a, a, a])".repeat(12)})`,
    `[1]${".map(a, [a, a])".repeat(12)}${"[0]".repeat(2)} == [${"[".repeat(3)}1${
      "]".repeat(3)
    }] || .list.map(a, .list.map(b, .list.map(c, c))) == []`,
    "true || .list.all(a, true) ? .list.map(a, .list.map(b, .list.map(c, c))) : 1",
    "default(.list.map(a, .list.map(b, .list.map(c, c))), 1)",
    "true && .list.all(a, .list.all(b, .list.all(c, true)))",
  ];
  for (const source of runaways) {
    throws(() => evaluateTemplate(`{{ ${source} }}`, { list, text }), {
      code: "EXPRESSION_ERROR",
    }, source);
  }
});

Deno.test("ordinary work over the largest stream stays inside the limits", () => {
  const messages = Array.from(
    { length: 10_000 },
    (_, n) => ({ n, name: `name ${n}`, ok: n % 2 === 0 }),
  );
  const source = ".messages.filter(m, m.ok && m.n > 10 && m.name.startsWith('name'))" +
    ".map(m, {'id': string(m.n), 'label': m.name.upperAscii() + '!'})";
  equal((evaluateTemplate(`{{ ${source} }}`, { messages }) as readonly Value[]).length, 4994);
  ok(String(evaluateTemplate("all: {{ json(.messages) }}", { messages })).length > 300_000);
});

Deno.test("text around expressions is limited too", () => {
  throws(() => evaluateTemplate("{{ .text }}{{ .text }}{{ .text }}", { text }), {
    message: "Cannot make a text of more than 8 MiB",
  });
});

Deno.test("regular expressions take linear time, and only RE2's are read", () => {
  // An engine that goes back and forth would not be done with this in a lifetime.
  equal(evaluateTemplate("{{ .s.matches('^(a+)+$') }}", { s: `${"a".repeat(50_000)}!` }), false);
  throws(() => evaluateTemplate("{{ 'x'.matches('(') }}", {}), /not valid RE2/);
  throws(() => evaluateTemplate("{{ 'x'.matches('(?=x)') }}", {}), /not valid RE2/);
});

Deno.test("deep nesting is an error, never a crash", () => {
  for (
    const source of [
      `${"(".repeat(20_000)}1${")".repeat(20_000)}`,
      `${"-".repeat(1)}${"[".repeat(5000)}`,
    ]
  ) {
    throws(() => compileExpression(source), { code: "EXPRESSION_ERROR" });
  }
  let deep: Value = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  throws(() => evaluateTemplate("{{ json(.deep) }}", { deep }), { code: "EXPRESSION_ERROR" });
  throws(() => evaluateTemplate("{{ [.deep] == [.other] }}", { deep, other: [deep] }), {
    code: "EXPRESSION_ERROR",
  });
});

Deno.test("no text at all makes the scanner or the compiler throw anything but a MaestroError", () => {
  const parts =
    "{{ }} { } ( ) [ ] ' \" ''' \\ // \n . .a x 1 1u 1.5 + - | || && ? : , in map has default $ := if eq é 😀"
      .split(" ");
  let seed = 42;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 5000; round++) {
    const pieces = Array.from(
      { length: 1 + next() * 10 },
      () => parts[Math.floor(next() * parts.length)],
    );
    const template = pieces.join(next() < 0.5 ? " " : "");
    for (const problem of checkTemplate(template)) {
      ok(
        problem.offset >= 0 && problem.offset <= template.length,
        `${template}: ${problem.offset}`,
      );
    }
    try {
      evaluateTemplate(template, { a: 1 });
    } catch (error) {
      ok(error instanceof MaestroError && !error.message.includes("inside Maestro"), template);
    }
  }
});

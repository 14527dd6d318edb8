/** docs/language.md on expressions, sentence by sentence. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { celUint } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  compileExpression,
  evaluateCondition,
  evaluateTemplate,
  parseTemplate,
  templateRefs,
} from "../../src/workflow/expression.ts";
import type { Value } from "../../src/workflow/value.ts";
import { user } from "../support/sample_message.ts";

const bindings: Readonly<Record<string, Value>> = {
  input: {
    n: 3,
    half: 0.5,
    name: "Ann",
    items: [{ n: 1, tags: ["a"] }, { n: 2, tags: [] }],
    nothing: null,
    "a-b": "hyphen",
    text: "a,b,c",
    emoji: "a😀b",
    numbers: { "1": "one" },
  },
  bare: Object.assign(Object.create(null), { a: Object.assign(Object.create(null), { b: 1 }) }),
  user: user({ user_id: "9007199254740993", email: "e@x" }),
  skipped: {},
  big: 2n ** 53n + 1n,
  unsigned: celUint(5n),
  bytes: Uint8Array.of(104, 105),
  time: reflect(TimestampSchema, create(TimestampSchema, { seconds: 1_767_225_600n })),
};

function evaluate(expression: string): Value {
  return evaluateTemplate(`{{ ${expression} }}`, bindings);
}

function holds(table: Readonly<Record<string, Value>>): void {
  for (const [expression, value] of Object.entries(table)) {
    deepEqual(evaluate(expression), value, expression);
  }
}

Deno.test("a string that is exactly one {{ }} keeps the value's own type", () => {
  const table: readonly (readonly [string, Value])[] = [
    ["{{ .input.n }}", 3],
    ["{{.input.n}}", 3],
    ["{{ .input.n }}\n", 3],
    ["{{ .input.n }}\r\n", 3],
    ["{{ .input.items }}", evaluate(".input.items")],
    ["{{ .input.nothing }}", null],
    ["{{ .user }}", bindings["user"] ?? null],
    ["{{ .bytes }}", Uint8Array.of(104, 105)],
    [" {{ .input.n }}", " 3"],
    ["{{ .input.n }} ", "3 "],
    ["{{ .input.n }}\n\n", "3\n\n"],
    ["{{ .input.n }}{{ .input.n }}", "33"],
    ["no expression", "no expression"],
    ["}} alone", "}} alone"],
  ];
  for (const [template, value] of table) {
    deepEqual(evaluateTemplate(template, bindings), value, template);
  }
});

Deno.test("with text around it, a value becomes text", () => {
  const table: Readonly<Record<string, string>> = {
    "n={{ .input.n }}": "n=3",
    "n={{ .input.n + 0.5 }}": "n=3.5",
    "n={{ .big }}": "n=9007199254740993",
    "n={{ .unsigned }}": "n=5",
    "b={{ true }}": "b=true",
    "l={{ [1, 'a'] }}": 'l=[1,"a"]',
    "m={{ {'a': 1} }}": 'm={"a":1}',
    "t={{ .time }}": "t=2026-01-01T00:00:00Z",
    "d={{ duration('90m') }}": "d=5400s",
    "u={{ .user.user_id }}": "u=9007199254740993",
  };
  for (const [template, text] of Object.entries(table)) {
    equal(evaluateTemplate(template, bindings), text);
  }
  ok(String(evaluateTemplate("{{ .user }}!", bindings)).includes('"email":"e@x"'));
});

Deno.test("null, bytes, NaN and types are no text", async (t) => {
  const messages = [".input.nothing", ".bytes", "0.0 / 0.0", "type(1)"].map((expression) =>
    messageOf(() => evaluateTemplate(`x {{ ${expression} }}`, bindings))
  );
  await t.assertSnapshot(messages);
});

Deno.test("the scanner knows strings, comments and brackets", () => {
  const table: Readonly<Record<string, Value>> = {
    "{{ '}}' }}": "}}",
    '{{ "}}" }}': "}}",
    "{{ '''}} ' ''' }}": "}} ' ",
    '{{ """}} " """ }}': '}} " ',
    "{{ r'\\' + '}}' }}": "\\}}",
    "{{ 'it\\'s }}' }}": "it's }}",
    '{{ R"}}" }}': "}}",
    "{{ string(b'}}') }}": "}}",
    "{{ string(br'}}') }}": "}}",
    "{{ {'a': 1}.a }}": 1n,
    "{{ {'a': {'b': 1}}.a.b }}": 1n,
    "{{ {'a': {'b': 1}}}}": { a: { b: 1n } },
    "{{{'a': 1}.a}}": 1n,
    "{{ 1 // }}\n }}": 1n,
    "{{ '{{' }}": "{{",
    "{{ '{{' }} and {{ '}}' }}": "{{ and }}",
    "{{ '{' }}": "{",
    "{{ [{'}}': 1}][0]['}}'] }}": 1n,
  };
  for (const [template, value] of Object.entries(table)) {
    deepEqual(evaluateTemplate(template, bindings), value, template);
  }
});

Deno.test("a result is never read as a template again, and keys are not templates", () => {
  equal(evaluateTemplate("{{ .x }}!", { x: "{{ .y }}" }), "{{ .y }}!");
  deepEqual(evaluateTemplate({ "{{ .x }}": ["{{ .x }}", 1, null, true] }, { x: "v" }), {
    "{{ .x }}": ["v", 1, null, true],
  });
  equal(
    JSON.stringify(evaluateTemplate(JSON.parse('{"__proto__":"{{ 1 }}"}'), {})?.toString()),
    '"[object Object]"',
  );
});

Deno.test("numbers from JSON are doubles, message fields keep their types", () => {
  holds({
    "type(.input.n) == double && type(.user.user_id) == int && type(.unsigned) == uint": true,
    ".user.user_id": 9007199254740993n,
    ".user.user_id + 1": 9007199254740994n,
    "7 / 2": 3n,
    "-7 / 2": -3n,
    "7 % 3": 1n,
    ".input.n / 2": 1.5,
    ".input.n + 1": 4,
    "1 + .input.n": 4,
    ".input.n * 2.5": 7.5,
    ".input.n % 2": 1,
    ".unsigned + 1": 6,
    ".unsigned - .input.n": 2,
    "1 + 1u": 2,
    "-.input.n": -3,
    ".input.n == 3 && .input.n == 3u && 3 == 3.0 && .big != 9007199254740992.0": true,
    "1 < 1.5 && 2u > 1.5 && .input.n >= 3 && 3 <= .input.n && 1u < 2": true,
    "3 in [.input.n] && 3.0 in [3]": true,
    "string(.input.n)": "3",
    "string(.input.half)": "0.5",
    "{1: 'a'}[.input.n - 2]": "a",
  });
  for (
    const overflow of [
      "9223372036854775807 + 1",
      "-9223372036854775807 - 2",
      "0u - 1u",
      "1 / 0",
      "1 % 0",
      ".input.n % 0",
    ]
  ) {
    throws(() => evaluate(overflow), { code: "EXPRESSION_ERROR" }, overflow);
  }
  equal(evaluate("1.0 / 0.0"), Infinity);
});

Deno.test("doubles that are whole numbers serve as positions and counts", () => {
  holds({
    ".input.items[.input.n - 2].n": 2,
    "[1, 2, 3][1.0]": 2n,
    "'abcdef'.substring(.input.n)": "def",
    "'abcdef'.substring(1, .input.n)": "bc",
    "'abc'.charAt(.input.n - 1)": "c",
    "'a-b-c'.replace('-', '', .input.n - 2)": "ab-c",
    "'%d'.format([.input.n])": "3",
    "int(.input.n)": 3n,
    "timestamp(.input.n) == timestamp('1970-01-01T00:00:03Z')": true,
  });
  throws(() => evaluate("[1, 2][0.5]"), /index it by a whole number/);
  throws(() => evaluate("'abc'.substring(0.5)"), /must be a whole number/);
});

Deno.test("a map from JSON has text keys, which an int or a bool finds too", () => {
  holds({
    ".input.numbers[1]": "one",
    ".input.numbers['1']": "one",
    "1 in .input.numbers": true,
    ".input.numbers.map(key, key)": ["1"],
    "{1: 'a', true: 'b', 'c': 'd'}": { "1": "a", true: "b", c: "d" },
    "{1: 'a'}[1u]": "a",
  });
  throws(() => evaluate("{1: 'a'}['1']"), { code: "EXPRESSION_ERROR" });
  throws(() => evaluate("{1: 'a', 1u: 'b'}"), /the same key twice/);
});

Deno.test("a missing field, key or item is an error that names it", async (t) => {
  const messages = [
    ".user.nam",
    ".user.nick_name",
    ".user['nope']",
    ".input.nam",
    ".input.items[0].nope.deeper",
    ".input.items[7]",
    ".input.items[.input.n]",
    ".input.numbers[.input.name]",
    ".input.nothing.x",
    ".input.name.x",
    ".nope",
    ".skipped.id",
    "{'a': 1}.b",
    ".input.items.map(item, item.nope)",
    ".input.a - b",
  ].map((expression) => messageOf(() => evaluate(expression)));
  await t.assertSnapshot(messages);
});

Deno.test("errors never hold values", () => {
  const secret = { token: "hunter2", list: ["hunter2"] };
  const expressions = [
    ".secret.token + 1",
    "int(.secret.token)",
    "double(.secret.token)",
    "bool(.secret.token)",
    "timestamp(.secret.token)",
    "duration(.secret.token)",
    ".secret.token.nope",
    ".secret[.secret.token]",
    ".secret.list[.secret.token]",
    "'x'.matches(.secret.token + '(')",
    "'%d'.format([.secret.token])",
    ".secret.token.substring(100)",
    ".secret.list.join(1)",
    "timestamp('2026-01-01T00:00:00Z').getHours(.secret.token)",
    ".secret.token < 1",
    "-.secret.token",
    "!.secret.token",
    ".secret.token ? 1 : 2",
    ".secret.token && true",
    "{.secret.token: 1, .secret.token: 2}",
    "size(1.5) + .secret.token",
  ];
  for (const expression of expressions) {
    const message = messageOf(() => evaluateTemplate(`{{ ${expression} }}`, { secret }));
    ok(message.startsWith(`Cannot evaluate {{ ${expression} }}: `), message);
    ok(!message.includes("hunter2"), message);
  }
});

Deno.test("has() asks whether there is a field, all along the path", () => {
  holds({
    "has(.input.name)": true,
    "has(.input.nope)": false,
    "has(.input.nope.deeper)": false,
    "has(.input.nothing)": true,
    "has(.input.nothing.x)": false,
    "has(.nope)": false,
    "has(.nope.x)": false,
    "has(.user.email)": true,
    "has(.user.nick_name)": false,
    "has(.input.items[0])": true,
    "has(.input.items[7])": false,
    "has(.input.items[7].n)": false,
    "has(.input['a-b'])": true,
    "has(.bare.a.b)": true,
  });
  throws(() => evaluate("has(.input.name.x)"), /\.input\.name is a string/);
});

Deno.test("default() covers missing, null and skipped along the whole path", () => {
  holds({
    "default(.input.name, 'x')": "Ann",
    "default(.input.nope, 'x')": "x",
    "default(.input.nope.a.b, 'x')": "x",
    "default(.input.nothing, 'x')": "x",
    "default(.input.nothing.a, 'x')": "x",
    "default(.nope, 'x')": "x",
    "default(.nope.a['b'].c, 'x')": "x",
    "default(.input.items[7].n, 'x')": "x",
    "default(.input.items[0].n, 'x')": 1,
    "default(.skipped, 'x')": "x",
    "default(.skipped.id, 'x')": "x",
    "default(.user.nick_name, 'x')": "x",
    "default(.user.address.city, 'x')": "x",
    "default(.user.email, 'x')": "e@x",
    "default(.input.n, 9)": 3,
    "default(false, true)": false,
    "default('', 'x')": "",
    "default([], ['x'])": [],
    "default(default(.nope, null), 'x')": "x",
    "default(.input.items.map(item, item.nope), [])": [],
    "default(string(.nope.x), 'x')": "x",
    "default(.nope, .input.name)": "Ann",
    "default(.nope, 0) + 1": 1n,
  });
  throws(() => evaluate("default(.input.name + 1, 'x')"), { code: "EXPRESSION_ERROR" });
  throws(() => evaluate("default(.nope, .nope)"), /there is no \.nope here/);
});

Deno.test("strings have CEL's string functions and extensions, which count characters", () => {
  holds({
    "'aB'.upperAscii() + 'aB'.lowerAscii()": "ABab",
    ".input.text.split(',')": ["a", "b", "c"],
    ".input.text.split(',', 2)": ["a", "b,c"],
    ".input.text.split(',', 0)": [],
    ".input.text.split(',', -1)": ["a", "b", "c"],
    "'ab'.split('')": ["a", "b"],
    "['a', 'b'].join() + ['a', 'b'].join('-')": "aba-b",
    "'aXbX'.replace('X', '-')": "a-b-",
    "'ab'.replace('', '-')": "-a-b-",
    "'ab'.replace('', '-', 1)": "-ab",
    "'%s|%d|%.2f|%x|%X|%o|%b|%e|%%'.format(['a', 7, 1.005, 255, 255, 8, 5, 1234.5])":
      "a|7|1.00|ff|FF|10|101|1.234500e+03|%",
    "'%s'.format([[1, 'a', {'b': null}]])": "[1, a, {b: null}]",
    "'%.1f %.1f'.format([0.25, 1])": "0.2 1.0",
    "' \\t a \\n'.trim()": "a",
    "'abc'.reverse()": "cba",
    "'abcabc'.indexOf('c') + 'abcabc'.lastIndexOf('c')": 7n,
    "'abcabc'.indexOf('c', 3)": 5n,
    "'abc'.indexOf('x')": -1n,
    "'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')": true,
    "'abc'.matches('^a.c$') && !'abc'.matches('^b')": true,
    "strings.quote('a\"b')": '"a\\"b"',
    "size(.input.emoji)": 3n,
    ".input.emoji.charAt(1)": "😀",
    ".input.emoji.substring(1, 2)": "😀",
    ".input.emoji.indexOf('b')": 2n,
    ".input.emoji.lastIndexOf('b', 2)": 2n,
    ".input.emoji.reverse()": "b😀a",
  });
});

Deno.test("json(), base64() and sha256()", () => {
  holds({
    "json(.input.items)": '[{"n":1,"tags":["a"]},{"n":2,"tags":[]}]',
    "json(null) + json('a') + json(.big) + json({1: 2})": 'null"a""9007199254740993"{"1":2}',
    "base64('hi') + base64(.bytes)": "aGk=aGk=",
    "sha256('')": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256('hi') == sha256(.bytes)": true,
    "sha256('é') == sha256(b'é')": true,
  });
});

Deno.test("conversions are CEL's, and strict about text", () => {
  holds({
    "int('42') + int(3.9) + int(-3.9) + int(7u)": 49n,
    "double('1.5') + double(1)": 2.5,
    "string(uint('7'))": "7",
    "bool('true') && !bool('false')": true,
    "string(b'hi')": "hi",
    "int(timestamp('1970-01-01T00:01:00Z'))": 60n,
    "string(timestamp(60))": "1970-01-01T00:01:00Z",
    "string(duration('1h30m') + duration('1.5s'))": "5401.500s",
    "string(timestamp('2026-01-01T00:00:00Z') + duration('1h'))": "2026-01-01T01:00:00Z",
    "string(timestamp('2026-01-01T01:00:00Z') - timestamp('2026-01-01T00:00:00Z'))": "3600s",
    "duration('1h') > duration('59m') && .time < timestamp('2027-01-01T00:00:00Z')": true,
    "dyn(1) == 1 && type(1) == int && type(type(1)) == type && type([]) == list": true,
    "type(.time) == google.protobuf.Timestamp": true,
  });
  const bad = ["int('')", "int('0x1f')", "int('1.5')", "double('')", "double('abc')", "bool('yes')"]
    .concat(["string(null)", "string([1])", "timestamp('today')", "duration('5')", "int(1e300)"]);
  for (const expression of bad) throws(() => evaluate(expression), { code: "EXPRESSION_ERROR" });
});

Deno.test("parts of a time do not depend on the machine's zone", () => {
  holds({
    // These hours don't exist on a clock in Berlin that night.
    "timestamp('2026-03-29T02:30:00Z').getHours()": 2n,
    "timestamp('2026-03-29T00:30:00Z').getHours('Europe/Berlin')": 1n,
    "timestamp('2026-03-29T01:30:00Z').getHours('Europe/Berlin')": 3n,
    "timestamp('2026-01-01T23:00:00Z').getDate('+02:00')": 2n,
    "timestamp('2026-01-01T00:30:00Z').getFullYear('-01:00')": 2025n,
    "timestamp('2026-03-01T00:00:00Z').getDayOfYear()": 59n,
    "timestamp('2026-01-31T00:00:00Z').getMonth()": 0n,
    "timestamp('2026-01-31T00:00:00Z').getDayOfMonth()": 30n,
    "timestamp('2026-01-04T00:00:00Z').getDayOfWeek()": 0n,
    "timestamp('1969-12-31T23:59:59.500Z').getMilliseconds()": 500n,
    "duration('90m').getHours() + duration('90m').getMinutes()": 91n,
  });
});

Deno.test("macros work over lists and over a map's keys", () => {
  holds({
    ".input.items.map(item, item.n)": [1, 2],
    ".input.items.map(item, item.n > 1, item.n)": [2],
    ".input.items.filter(item, item.n > 1)": [{ n: 2, tags: [] }],
    ".input.items.exists(item, item.n == 2)": true,
    ".input.items.all(item, item.n > 0)": true,
    ".input.items.exists_one(item, item.n == 2)": true,
    "{'a': 1, 'b': 2}.map(key, key)": ["a", "b"],
    "[1, 2].map(x, [3, 4].map(y, x * y))": [[3n, 4n], [6n, 8n]],
    "[[1], [2]].map(x, x.map(y, y + 1))": [[2n], [3n]],
    "[1, 2].map(x, .input.n + x)": [4, 5],
    "[1].map(x, [2].map(x, x))": [[2n]],
    "['', 'a'].exists(x, x == 'a' || x.nope)": true,
    "[1, 2].all(x, x < 1 && .nope)": false,
  });
  throws(() => evaluate("'abc'.map(x, x)"), /only lists and maps have items/);
});

Deno.test("&&, || and ?: decide as soon as they can, from either side", () => {
  holds({
    "false && .nope": false,
    ".nope && false": false,
    "true || .nope": true,
    ".nope || true": true,
    "true ? 1 : .nope": 1n,
    "false ? .nope : 2": 2n,
    "1 in [1] && !(1 in [])": true,
  });
  throws(() => evaluate("true && .nope"), /no \.nope/);
  throws(() => evaluate("1 && true"), /needs a bool, not an int/);
  throws(() => evaluate("'x' ? 1 : 2"), /needs a bool, not a string/);
});

Deno.test("a leading dot names a root, never a loop variable", () => {
  const expression = compileExpression("[1, 2].map(item, item + .item)");
  deepEqual(expression.evaluate({ item: 10n }), [11n, 12n]);
  deepEqual(expression.refs.map(({ root }) => root), ["item"]);
  deepEqual(expression.variables, [{ name: "item", offset: 6 }]);
  // A macro's own dot is not a root's.
  deepEqual(evaluate(".input.items.filter(x, x.n == 1).map(x, x.n)"), [1]);
});

Deno.test("null-prototype objects, nulls and odd keys read like any other", () => {
  holds({
    ".bare.a.b": 1,
    ".bare.a": { b: 1 },
    ".input.nothing == null": true,
    ".input['a-b']": "hyphen",
  });
  for (const key of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    equal(evaluate(`has(.input.${key})`), false, key);
    throws(() => evaluate(`.${key}`), /there is no/, key);
  }
  equal(evaluateTemplate("{{ .x.__proto__ }}", { x: JSON.parse('{"__proto__": 1}') }), 1);
});

Deno.test("evaluateCondition() takes a bool and nothing else", () => {
  equal(evaluateCondition(" {{ .input.n == 3 }}\n", bindings), true);
  throws(() => evaluateCondition("{{ .input.n }}", bindings), {
    code: "EXPRESSION_ERROR",
    message: "Cannot use {{ .input.n }} as a condition: its value is not true or false",
  });
});

Deno.test("templateRefs() lists every root with its fields and its place", () => {
  const refs = templateRefs({
    a: ["{{ .steps.create_user.output['x'].y + .input.items[.i].z }}"],
    b: "{{ default(.c.d, .e) }} {{ has(.f.g) }}",
  });
  deepEqual(
    refs.map(({ root, path, at, offset, optional }) => [root, path, at, offset, optional]),
    [
      ["steps", ["create_user", "output", "x", "y"], ["a", 0], 3, false],
      ["input", ["items"], ["a", 0], 38, false],
      ["i", [], ["a", 0], 51, false],
      ["c", ["d"], ["b"], 11, true],
      ["e", [], ["b"], 17, false],
      ["f", ["g"], ["b"], 31, true],
    ],
  );
});

Deno.test("the same text is compiled once", () => {
  equal(compileExpression(".a + 1"), compileExpression(".a + 1"));
  equal(parseTemplate("x {{ .a }}"), parseTemplate("x {{ .a }}"));
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "nothing was thrown";
}

// Every type of protobuf on its way from YAML to a service, into expressions, to the next service,
// and into the report.

import assert from "node:assert/strict";
import { maestro } from "../cli/program.ts";
import { startServer } from "../support/grpc_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { readWire, type Shape } from "../support/wire.ts";

/** One field, of `acme.shop.v1.Everything`. */
interface Row {
  readonly field: string;
  /** Its number in the proto. */
  readonly number: number;
  /** How YAML writes it; `.input.…` is from {@linkcode INPUT}. */
  readonly yaml: string;
  /** How it is read off the wire, and what must be there. */
  readonly shape: Shape;
  readonly wire: readonly unknown[];
  /** As ProtoJSON with proto names and defaults. */
  readonly json: unknown;
}

const MONEY: Shape = { 1: "text", 2: "int", 3: "int" };
const NOON = BigInt(Date.parse("2026-01-31T12:00:00Z") / 1000);
const SECONDS: Shape = { 1: "int", 2: "int" };
const INPUT = { big: "9007199254740993", at: "2026-01-31T13:00:00+01:00", list: [1, 2], n: 41 };

const ROWS: readonly Row[] = [
  {
    field: "an_int64",
    number: 4,
    yaml: '"9007199254740993"',
    shape: "int",
    wire: [9007199254740993n],
    json: "9007199254740993",
  },
  {
    field: "a_uint64",
    number: 6,
    yaml: '"18446744073709551615"',
    shape: "uint",
    wire: [18446744073709551615n],
    json: "18446744073709551615",
  },
  {
    field: "a_sint64",
    number: 8,
    yaml: '"-9223372036854775808"',
    shape: "zigzag",
    wire: [-9223372036854775808n],
    json: "-9223372036854775808",
  },
  {
    field: "a_sfixed64",
    number: 12,
    yaml: "-9007199254740991",
    shape: "fixed",
    wire: [-9007199254740991n],
    json: "-9007199254740991",
  },
  {
    field: "an_int32",
    number: 3,
    yaml: '"{{ .input.n + 1 }}"',
    shape: "int",
    wire: [42n],
    json: 42,
  },
  { field: "a_double", number: 1, yaml: "0.1", shape: "double", wire: [0.1], json: 0.1 },
  { field: "a_bool", number: 13, yaml: "true", shape: "int", wire: [1n], json: true },
  {
    field: "a_string",
    number: 14,
    yaml: '"n is {{ .input.n }}: grüße 🎉"',
    shape: "text",
    wire: ["n is 41: grüße 🎉"],
    json: "n is 41: grüße 🎉",
  },
  { field: "some_bytes", number: 15, yaml: "AP8=", shape: "hex", wire: ["00ff"], json: "AP8=" },
  {
    field: "color",
    number: 16,
    yaml: "COLOR_GREEN",
    shape: "int",
    wire: [2n],
    json: "COLOR_GREEN",
  },
  {
    field: "points",
    number: 21,
    yaml: '"{{ .input.big }}"',
    shape: "int",
    wire: [9007199254740993n],
    json: "9007199254740993",
  },
  {
    field: "numbers",
    number: 22,
    yaml: '["{{ .input.list[1] }}", "-9007199254740993"]',
    shape: "packed",
    wire: [[2n, -9007199254740993n]],
    json: ["2", "-9007199254740993"],
  },
  {
    field: "prices",
    number: 23,
    yaml: '[{ currency: EUR, units: "9007199254740993" }, {}]',
    shape: MONEY,
    wire: [{ 1: ["EUR"], 2: [9007199254740993n] }, {}],
    json: [
      { currency: "EUR", units: "9007199254740993", nanos: 0 },
      { currency: "", units: "0", nanos: 0 },
    ],
  },
  {
    field: "counts",
    number: 25,
    yaml: '{ a: "9007199254740993", "": 0 }',
    shape: { 1: "text", 2: "int" },
    wire: [{ 1: ["a"], 2: [9007199254740993n] }, { 1: [""], 2: [0n] }],
    json: { a: "9007199254740993", "": "0" },
  },
  {
    field: "by_number",
    number: 26,
    yaml: "{ -7: { nanos: 1 } }",
    shape: { 1: "int", 2: MONEY },
    wire: [{ 1: [-7n], 2: [{ 3: [1n] }] }],
    json: { "-7": { currency: "", units: "0", nanos: 1 } },
  },
  {
    field: "at",
    number: 28,
    yaml: "2026-01-31T12:00:00.123456789Z",
    shape: SECONDS,
    wire: [{ 1: [NOON], 2: [123456789n] }],
    json: "2026-01-31T12:00:00.123456789Z",
  },
  {
    field: "times",
    number: 40,
    yaml: '["{{ .input.at }}"]',
    shape: SECONDS,
    wire: [{ 1: [NOON] }],
    json: ["2026-01-31T12:00:00Z"],
  },
  {
    field: "lasts",
    number: 29,
    yaml: "-1.5s",
    shape: SECONDS,
    wire: [{ 1: [-1n], 2: [-500_000_000n] }],
    json: "-1.500s",
  },
  {
    field: "extra",
    number: 30,
    yaml: '{ list: [1, null, { deep: "{{ .input.list }}" }] }',
    shape: {
      1: {
        1: "text",
        2: {
          6: {
            1: { 1: "int", 2: "double", 5: { 1: { 1: "text", 2: { 6: { 1: { 2: "double" } } } } } },
          },
        },
      },
    },
    wire: [{
      1: [{
        1: ["list"],
        2: [{
          6: [{
            1: [
              { 2: [1] },
              { 1: [0n] },
              { 5: [{ 1: [{ 1: ["deep"], 2: [{ 6: [{ 1: [{ 2: [1] }, { 2: [2] }] }] }] }] }] },
            ],
          }],
        }],
      }],
    }],
    json: { list: [1, null, { deep: [1, 2] }] },
  },
  {
    field: "any",
    number: 33,
    yaml: '{ "@type": type.googleapis.com/acme.Money, units: "9007199254740993" }',
    shape: { 1: "text", 2: MONEY },
    wire: [{ 1: ["type.googleapis.com/acme.Money"], 2: [{ 2: [9007199254740993n] }] }],
    json: {
      "@type": "type.googleapis.com/acme.Money",
      currency: "",
      units: "9007199254740993",
      nanos: 0,
    },
  },
  {
    field: "maybe_number",
    number: 35,
    yaml: '"9007199254740993"',
    shape: { 1: "int" },
    wire: [{ 1: [9007199254740993n] }],
    json: "9007199254740993",
  },
  {
    // Set to its default: with presence, that is a value.
    field: "maybe_bool",
    number: 37,
    yaml: "false",
    shape: { 1: "int" },
    wire: [{}],
    json: false,
  },
  {
    field: "inner",
    number: 39,
    yaml: '{ price: { units: "-9007199254740993" }, note: "" }',
    shape: { 17: MONEY, 18: "text" },
    wire: [{ 17: [{ 2: [-9007199254740993n] }], 18: [""] }],
    json: undefined, // it has every default that there is: looked at by itself
  },
];

/** What expressions make of the answer: `{{ … }}`, and the value in JSON. */
const JUDGED: readonly (readonly [expression: string, value: unknown])[] = [
  [".e.an_int64 + 1", "9007199254740994"],
  [".e.an_int64 == 9007199254740993", true],
  [".e.an_int64 > 9007199254740992", true],
  [".e.an_int64 / 2 == 4503599627370496", true],
  [".e.a_uint64 == 18446744073709551615u", true],
  [".e.a_sint64 < 0", true],
  [".e.numbers[1] - 2", "-9007199254740995"],
  [".e.prices[0].units == .e.points", true],
  [".e.prices.map(p, p.currency)", ["EUR", ""]],
  [".e.color == 'COLOR_GREEN'", true],
  ["size(.e.some_bytes) == 2", true],
  ["base64(.e.some_bytes)", "AP8="],
  [".e.counts['a'] + 2", "9007199254740995"],
  [".e.counts[''] == 0", true],
  [".e.at < timestamp('2026-01-31T12:00:01Z')", true],
  [".e.at + duration('1h')", "2026-01-31T13:00:00.123456789Z"],
  [".e.at - .e.times[0] < duration('1s')", true],
  [".e.lasts == duration('-1500ms')", true],
  [".e.extra.list[2].deep[1] + 0.5", 2.5],
  [".e.any.units == .e.an_int64", true],
  [".e.maybe_number + 1", "9007199254740994"],
  ["has(.e.maybe_number) && !has(.e.maybe_string)", true],
  ["default(.e.maybe_string, 'none')", "none"],
  ["has(.e.points) && !has(.e.card)", true],
  ["has(.e.inner.note) && !has(.e.note)", true],
  [".e.inner.an_int32 == 0", true],
];

const TEXT = "{{ .e.an_int64 }} {{ .e.at }} {{ .e.color }} {{ .e.prices }}";

/** Two steps with the same message: one from YAML, one from what the first answered. */
const WORKFLOW = `name: types
services:
  shop: { endpoint: "127.0.0.1:1" }
steps:
  - id: e
    service: shop
    method: Echo
    input:
${ROWS.map(({ field, yaml }) => `      ${field}: ${yaml}`).join("\n")}
  - id: again
    service: shop
    method: Echo
    input:
${ROWS.map(({ field }) => `      ${field}: "{{ .e.${field} }}"`).join("\n")}
  - id: whole
    service: shop
    method: Echo
    input: "{{ .again }}"
output:
  judged:
${JUDGED.map(([expression]) => `    - "{{ ${expression} }}"`).join("\n")}
  text: "${TEXT}"
`;

Deno.test("every type goes unharmed from YAML to a service, through expressions, and back", async (t) => {
  // Echoes bytes, so that nothing on the server's side reads or writes a message.
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Echo": ({ bytes }) => bytes },
  });
  await using files = await tempFiles({
    "types.yaml": WORKFLOW,
    "input.json": JSON.stringify(INPUT),
  });
  const { code, stdout, stderr } = await maestro(
    [
      "run",
      "types.yaml",
      "--input",
      "@input.json",
      "--endpoint",
      `shop=${server.endpoint}`,
      "--output",
      "json",
    ],
    { cwd: files.directory },
  );
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  const shape = Object.fromEntries(ROWS.map(({ number, shape }) => [number, shape]));

  for (
    const [nth, how] of ["literals and input", "an answer's fields", "a whole answer"].entries()
  ) {
    await t.step(`the service received exactly what ${how} said`, () => {
      const received = readWire(server.calls[nth]!.bytes, shape);
      for (const { field, number, wire } of ROWS) assert.deepEqual(received[number], wire, field);
    });
  }

  await t.step("expressions reckon with the answer's own types", () => {
    for (const [index, [expression, value]] of JUDGED.entries()) {
      assert.deepEqual(report.output.judged[index], value, expression);
    }
  });

  await t.step("values become text as people write them", () => {
    assert.equal(
      report.output.text,
      "9007199254740993 2026-01-31T12:00:00.123456789Z COLOR_GREEN " +
        '[{"currency":"EUR","units":"9007199254740993","nanos":0},' +
        '{"currency":"","units":"0","nanos":0}]',
    );
  });

  await t.step("the report has ProtoJSON with proto names and defaults", () => {
    for (const { output } of report.steps) {
      for (const { field, json } of ROWS) {
        if (json !== undefined) assert.deepEqual(output[field], json, field);
      }
      const { a_float, a_uint32, by_bool, colors, renamed, note, price, maybe_string } = output;
      assert.deepEqual({ a_float, a_uint32, by_bool, colors, renamed }, {
        a_float: 0,
        a_uint32: 0,
        by_bool: {},
        colors: [],
        renamed: "",
      });
      assert.deepEqual([note, price, maybe_string], [undefined, undefined, undefined]);
      assert.deepEqual(output.inner.price, {
        currency: "",
        units: "-9007199254740993",
        nanos: 0,
      });
      assert.equal(output.inner.note, "");
    }
  });
});

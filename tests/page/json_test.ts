/** What is written as JSON is sent as it is shown, or not at all. */
import assert from "node:assert/strict";
import { compact, type JsonValue, parseJson, pretty } from "../../page/app/api/json.ts";
import { parseJson as parseAtServer } from "../../src/workflow/json_text.ts";

for (const number of ["9007199254740993", "-9007199254740993", "12345678901234567890"]) {
  Deno.test(`the integer ${number} is refused, since it would be sent as another`, () => {
    const { error } = parseJson(`{ "a": [1, { "id": ${number} }] }`);
    assert.match(error ?? "", new RegExp(`integer ${number} is beyond 2\\^53`));
  });
}

Deno.test("a number that is none any more is refused", () => {
  assert.match(parseJson("[1e400]").error ?? "", /1e400 is too large/);
});

const WRITTEN: readonly string[] = [
  "9007199254740992",
  "-9007199254740992",
  "0.1",
  "1e300",
  '"9007199254740993"',
  '{"9007199254740993":"a \\" 12345678901234567890 \\\\"}',
];

for (const text of WRITTEN) {
  Deno.test(`${text} is taken`, () => {
    const parsed = parseJson(text);
    assert.equal(parsed.error, null);
    assert.deepEqual("value" in parsed ? parsed.value : null, JSON.parse(text));
  });
}

const LARGE: readonly JsonValue[] = [1e20, -1e20, 2 ** 53, 123456789012345680000, 1e300, {
  text: '12345678901234567890 "1e20"',
  of: [2 ** 60, 0.5],
}];

for (const value of LARGE) {
  Deno.test(`${JSON.stringify(value)} can be shown, written and sent again`, () => {
    const parsed = parseJson(pretty(value));
    assert.equal(parsed.error, null);
    assert.deepEqual("value" in parsed ? parsed.value : null, value);
    assert.deepEqual(parseAtServer(compact(value), "body"), value);
  });
}

Deno.test("a long text of escapes is read in one go", () => {
  const text = JSON.stringify({ text: '\\"'.repeat(500_000) });
  assert.equal(parseJson(text).error, null);
});

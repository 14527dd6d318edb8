import assert from "node:assert/strict";
import { refusal } from "../../src/cli/remote/refusal.ts";
import { Unanswered, unreachable } from "../../src/cli/remote/unreachable.ts";

const URL = "https://m.example.com";

const cases = [
  [
    "client error (Connect): tcp connect error: Connection refused (os error 111)",
    `Cannot reach the server at ${URL}: Connection refused`,
  ],
  [
    "client error (Connect): dns error: failed to lookup address information: Name or service not known",
    `Cannot reach the server at ${URL}: failed to lookup address information: Name or service not known`,
  ],
  [
    "client error (Connect): received corrupt message of type InvalidContentType",
    `Cannot reach the server at ${URL}: received corrupt message of type InvalidContentType; it speaks no TLS there: use http://`,
  ],
  [
    "client error (Connect): invalid peer certificate: UnknownIssuer",
    `Cannot reach the server at ${URL}: invalid peer certificate: UnknownIssuer; its certificate is of no authority that is known here: name a file with its authority in the environment variable DENO_CERT`,
  ],
  [
    "client error (SendRequest): invalid HTTP version parsed",
    `Lost the server at ${URL}: invalid HTTP version parsed; no HTTP/1 is spoken there: use https:// where it has TLS, and the port of its --http`,
  ],
] as const;

for (const [said, message] of cases) {
  Deno.test(`unreachable() makes sense of "${said}"`, () => {
    const cause = new Error(`error sending request for url (${URL}/api): ${said}`);
    const error = unreachable(URL, new TypeError("fetch failed", { cause }), 1_000);
    assert.equal(error.message, message);
    assert.equal(error instanceof Unanswered, said.includes("SendRequest"));
  });
}

/** A `google.rpc.Status` with Maestro's own code, and fields that are wrong. */
const status = (reason: string, ...fields: readonly (readonly [string, string])[]) => ({
  message: fields.map(([, description]) => description).join("; ") || "No",
  details: [
    { reason, domain: "maestro" },
    { field_violations: fields.map(([field, description]) => ({ field, description })) },
  ],
});

Deno.test("refusal() tells every mistake, with its place", () => {
  const two = status("INPUT_INVALID", ["input", "input.a is missing"], ["input", "input.b is"]);
  const { code, problems } = refusal(URL, 400, two, true);
  assert.equal(code, "INPUT_INVALID");
  assert.deepEqual(problems.map(({ message }) => message), ["input.a is missing", "input.b is"]);
  const placed = status("WORKFLOW_INVALID", ["a:b.yaml:3:7", "Not so"]);
  const [problem] = refusal(URL, 400, placed, true).problems;
  assert.deepEqual([problem?.file, problem?.line, problem?.column], ["a:b.yaml", 3, 7]);
});

Deno.test("refusal() says whose token is wanted, and whose is not known", () => {
  const unknown = status("UNAUTHENTICATED");
  assert.match(refusal(URL, 401, unknown, false).message, /wants to know who asks: give --token-/);
  assert.match(refusal(URL, 401, unknown, true).message, /does not know the token of --token-file/);
});

Deno.test("refusal() takes what is no answer of Maestro's for no answer", () => {
  for (const answer of [undefined, null, "text", { error: "x" }, { message: 1, details: 7 }]) {
    const error = refusal(URL, 502, answer, false);
    assert.ok(error instanceof Unanswered);
    assert.equal(error.message, `The server at ${URL} answered 502, and not as Maestro does`);
  }
  assert.equal(refusal(URL, 400, { message: "No", details: null }, false).code, "STORE_FAILED");
});

/**
 * The same question of each of the four kinds of call: how it ends.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Caller, CallOptions, Target } from "../../src/engine/doors.ts";
import type { AttemptFailure } from "../../src/machines/failure.ts";
import { toJson, type Value } from "../../src/workflow/value.ts";
import { callOnce } from "./grpc_call.ts";

/** Methods of the shop, one of each kind, with something to ask them. */
const KINDS: readonly {
  readonly method: string;
  readonly input: Value;
  /** Whether a stream goes either way. */
  readonly streaming: boolean;
  /** Whether the answer is a list. */
  readonly many: boolean;
}[] = [
  { method: "Shop/Buy", input: {}, streaming: false, many: false },
  { method: "Shop/Watch", input: {}, streaming: true, many: true },
  { method: "Shop/Upload", input: [{}, {}], streaming: true, many: false },
  { method: "Shop/Talk", input: [{}, {}], streaming: true, many: true },
];

/** How a call ends; in messages, `@` is the endpoint. */
export interface Ending {
  readonly code: string;
  readonly message: string;
  readonly outcome: AttemptFailure["outcome"];
  /** A message had come back: a streaming call is not made again then. */
  readonly begun?: true;
  /** It is a limit of the caller's own. */
  readonly local?: true;
  /** Where the answer is a list, and that makes a difference: other words, or no failure. */
  readonly many?: Partial<Ending> | { readonly output: readonly string[] };
}

/** Makes a call of each kind, and compares how each ends. */
export async function endsSo(
  caller: Caller,
  target: Target,
  expected: Ending,
  options: Partial<CallOptions> = {},
): Promise<void> {
  const { many: other = {}, ...ending } = expected;
  for (const { method, input, streaming, many } of KINDS) {
    const answer = await callOnce(caller, target, method, input, options);
    const got = answer.ok ? toJson(answer.output) : answer.failure;
    if (many && "output" in other) {
      assert.deepEqual(got, other.output.map((id) => ({ order_id: id })), method);
      continue;
    }
    const { begun, message, ...rest } = many ? { ...ending, ...other } : ending;
    assert.deepEqual(got, {
      ...rest,
      message: message.replaceAll("@", target.endpoint),
      ...(begun && streaming && { begun }),
    }, method);
  }
}

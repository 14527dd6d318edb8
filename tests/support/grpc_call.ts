/**
 * Calls of one line, for tests of the way to services.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type Answer,
  type Caller,
  type CallOptions,
  type Target,
  Unreachable,
} from "../../src/engine/doors.ts";
import { grpcCaller } from "../../src/grpc/caller.ts";
import type { AttemptFailure } from "../../src/machines/failure.ts";
import type { Json } from "../../src/workflow/json.ts";
import { toJson, type Value } from "../../src/workflow/value.ts";

/**
 * A caller that closes itself.
 *
 * @param lingers for how long grpc-js's timers may run on where a connection could not be made, in
 * milliseconds: 400 covers the reconnect backoff of a first failure, 1,300 that of any. They hold
 * nothing up, but the sanitizer sees them
 */
export function openCaller({ lingers = 0 } = {}): Caller & AsyncDisposable {
  const caller = grpcCaller();
  return Object.assign(caller, {
    [Symbol.asyncDispose]: async () => {
      await caller.close();
      if (lingers > 0) await new Promise((resolve) => setTimeout(resolve, lingers));
    },
  });
}

/** Finds a method, makes one attempt, and gives its answer. */
export async function callOnce(
  caller: Caller,
  target: Target,
  method: string,
  input: Value = {},
  options: Partial<CallOptions> = {},
): Promise<Answer> {
  const found = await caller.method(target, method);
  return await found.call(found.encode(input), {
    metadata: {},
    timeout: 5_000,
    maxMessages: 10_000,
    signal: new AbortController().signal,
    ...options,
  });
}

/** The answer's message as ProtoJSON. */
export function outputOf(answer: Answer): Json {
  if (!answer.ok) throw new Error(`no answer, but ${JSON.stringify(answer.failure)}`);
  return toJson(answer.output);
}

/** Why there was no answer. */
export function failureOf(answer: Answer): AttemptFailure {
  assert(!answer.ok, "answered");
  return answer.failure;
}

/** Why the service could not be asked for its schema. */
export async function unreachable(method: Promise<unknown>): Promise<AttemptFailure> {
  try {
    await method;
  } catch (error) {
    assert(error instanceof Unreachable, `threw ${error}`);
    return error.failure;
  }
  throw new Error("was reached");
}

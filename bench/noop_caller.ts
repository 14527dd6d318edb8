import type { Caller } from "../mod.ts";

/** Answers each call with its input, at once. */
export const noopCaller: Caller = {
  method: (_target, name) =>
    Promise.resolve({
      name,
      idempotency: "idempotent",
      types: () => undefined,
      encode: (input) => ({ json: input as never, message: input }), // plain data, as it was written
      call: ({ json }) => Promise.resolve({ ok: true, output: json }),
    }),
  close: () => Promise.resolve(),
};

/**
 * Why an expression has no value. Thrown inside the evaluator alone; no `Error`, since `has()`,
 * `default()`, `&&` and `||` catch many and nobody reads their stacks.
 */
export class Fault {
  constructor(
    /** What is wrong, with names but never with values. */
    readonly message: string,
    /**
     * - `missing`: a name, field, key or item is not there; `default()` covers it
     * - `wrong`: a value doesn't fit what is done with it
     * - `runaway`: a limit is reached; nothing covers it
     */
    readonly kind: "missing" | "wrong" | "runaway" = "wrong",
  ) {}
}

/** A value does not fit what is done with it. */
export function wrong(message: string): Fault {
  return new Fault(message, "wrong");
}

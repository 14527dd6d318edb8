import { MaestroError } from "../errors.ts";

/** A part of a request that can't be used. */
export interface FieldViolation {
  /** Where it stands in the request: `input.items[2]`, `page_size`. */
  readonly field: string;
  /** What is wrong with it. */
  readonly description: string;
}

/** A request that can't be used. */
export class InvalidFields extends MaestroError {
  constructor(readonly violations: readonly FieldViolation[]) {
    const text = violations.map(({ field, description }) =>
      field === "" ? description : `"${field}": ${description}`
    );
    super("USAGE", `Cannot use the request: ${text.slice(0, 5).join("; ")}`);
  }
}

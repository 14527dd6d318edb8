import { MaestroError } from "../../errors.ts";

/** A request that can't be meant so. @param field of it, as the .proto has it */
export function fieldError(field: string, why: string): MaestroError {
  const message = `Cannot use "${field}": ${why}`;
  // What a file is to a workflow's problem, a field is to a request's.
  const problem = { severity: "error", code: "field", message: why, file: field } as const;
  return new MaestroError("USAGE", message, {
    problems: [{ ...problem, line: null, column: null }],
  });
}

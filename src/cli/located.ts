import { type ErrorCode, MaestroError, type Problem } from "../errors.ts";

/** An error about texts, with the texts that its problems point into. */
export class LocatedError extends MaestroError {
  constructor(
    code: ErrorCode,
    problems: readonly Problem[],
    /** By name. */
    readonly texts: ReadonlyMap<string, string>,
  ) {
    super(code, problems.map(({ message }) => message).join("; "), { problems });
  }
}

import type { MaestroError } from "../../errors.ts";
import { InvalidFields } from "../invalid_fields.ts";

/** A request that can't be meant so. @param field of it, as the .proto has it */
export function fieldError(field: string, description: string): MaestroError {
  return new InvalidFields([{ field, description }]);
}

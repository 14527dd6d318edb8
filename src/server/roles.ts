import { MaestroError } from "../errors.ts";
import type { Caller, Role } from "./operations.ts";

/** From the one who may do least to the one who may do most. */
export const ROLES = ["viewer", "operator", "admin"] as const satisfies readonly Role[];

/** @throws {MaestroError} `FORBIDDEN` where somebody's role is less than what a thing takes */
export function checkRole(who: Caller, needed: Role, what: string): void {
  if (ROLES.indexOf(who.role) >= ROLES.indexOf(needed)) return;
  throw new MaestroError(
    "FORBIDDEN",
    `"${who.name}" may not ${what}: that takes the role "${needed}", and theirs is "${who.role}"`,
  );
}

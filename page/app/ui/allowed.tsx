import type { ComponentChildren, VNode } from "preact";
import type { Role } from "../../../src/server/operations.ts";
import { role } from "../api/token.ts";

/** From the one who may do least to the one who may do most. */
const ROLES: readonly Role[] = ["viewer", "operator", "admin"];

/** Whether the reader may do what takes a role. Until the server has said who they are, they may. */
export function isAllowed(needed: Role): boolean {
  return role.value === null || ROLES.indexOf(role.value) >= ROLES.indexOf(needed);
}

/** What takes a role; to those who have less, that is said instead. */
export function Allowed({ needed, what, children }: {
  readonly needed: Role;
  /** As in "to … takes the role": `cancel a run`. */
  readonly what: string;
  readonly children: ComponentChildren;
}): VNode {
  if (isAllowed(needed)) return <>{children}</>;
  return (
    <p class="not-allowed">
      To {what} takes the role {needed}; yours is {role.value}.
    </p>
  );
}

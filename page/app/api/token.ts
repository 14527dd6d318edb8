import { signal } from "@preact/signals";
import type { Role } from "../../../src/server/operations.ts";

const KEY = "maestro.token";

/** What the server is shown, where it wants a token; gone with the browser's tab. */
export const token = signal(sessionStorage.getItem(KEY));

/** The server has refused what it was shown: the page asks for a token. */
export const tokenWanted = signal(false);

/** What the server lets its bearer do; `null`: it has not said yet. */
export const role = signal<Role | null>(null);

/** Hears from an answer who is asking. */
export function hearRole({ headers }: Response): void {
  const said = headers.get("maestro-role") as Role | null; // nobody else writes it
  if (said !== null) role.value = said;
}

/** Takes a token as it was entered. */
export function enterToken(entered: string): void {
  sessionStorage.setItem(KEY, entered);
  tokenWanted.value = false;
  token.value = entered;
}

/** Forgets it, and all that was seen with it. */
export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  location.reload();
}

import { signal } from "@preact/signals";

const KEY = "maestro.token";

/** What the server is shown, where it wants a token; gone with the browser's tab. */
export const token = signal(sessionStorage.getItem(KEY));

/** The server has refused what it was shown: the page asks for a token. */
export const tokenWanted = signal(false);

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

import { MaestroError } from "../errors.ts";
import type { Caller } from "./operations.ts";
import type { Tokens } from "./tokens.ts";

/** Who everybody is where no tokens are asked for: whoever reaches the server. */
export const ANYBODY: Caller = { name: "local", role: "admin" };

/** Who asks, from an `Authorization` header. @throws {MaestroError} `UNAUTHENTICATED` */
export function callerOf(tokens: Tokens | null, authorization: string | null): Caller {
  if (tokens === null) return ANYBODY;
  if (authorization === null || authorization === "") {
    throw new MaestroError(
      "UNAUTHENTICATED",
      'Who asks? Send a token, as in "Authorization: Bearer …"',
    );
  }
  const [, token] = /^Bearer +([\x21-\x7e]{1,1024})$/i.exec(authorization) ?? [];
  if (token !== undefined) return tokens.callerOf(token);
  throw new MaestroError(
    "UNAUTHENTICATED",
    'Cannot use this "Authorization": it is no bearer token',
  );
}

/** Whether only this machine reaches an address. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Refuses what a page of somebody else's could make a browser send: a name that was made to point here
 * (DNS rebinding) and is none of ours, and requests from other origins. Addresses can't be rebound.
 *
 * @param names the server's own, besides `localhost` and addresses
 * @throws {MaestroError} `FORBIDDEN`
 */
export function checkOrigin(
  host: string,
  origin: string | null,
  names: ReadonlySet<string>,
): void {
  const name = hostnameOf(host);
  if (name === null || !(name === "localhost" || isAddress(name) || names.has(name))) {
    throw new MaestroError(
      "FORBIDDEN",
      `This server does not go by the name ${
        JSON.stringify(host)
      }; start it with --allow-host to have it do so`,
    );
  }
  if (origin === null) return; // no browser, or a page's own GET
  if (hostOf(origin) === host.toLowerCase()) return;
  throw new MaestroError("FORBIDDEN", "Pages of other origins may not use this server");
}

function hostnameOf(host: string): string | null {
  const [, bracketed, bare] = /^(?:(\[[0-9a-f:.]+\])|([a-z0-9._-]+))(?::\d+)?$/i.exec(host) ??
    [];
  return (bracketed ?? bare)?.toLowerCase() ?? null;
}

function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

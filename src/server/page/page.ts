/**
 * The page of the server: what a browser gets for every address that is not the API's. All of it is
 * in the program itself, so that a compiled binary needs no files beside it.
 *
 * @module
 */
import script from "./dist/app.js" with { type: "text" };
import style from "./dist/app.css" with { type: "text" };
import icon from "./dist/icon.svg" with { type: "text" };
import document from "./dist/index.html" with { type: "text" };

/** One file of the page. */
interface Asset {
  readonly body: string;
  readonly type: string;
}

const DOCUMENT: Asset = { body: document, type: "text/html; charset=utf-8" };

/** By the path that the document asks for. */
const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/assets/app.js", { body: script, type: "text/javascript; charset=utf-8" }],
  ["/assets/app.css", { body: style, type: "text/css; charset=utf-8" }],
  ["/assets/icon.svg", { body: icon, type: "image/svg+xml" }],
]);

/** The addresses of views: each is the same document, whose script shows what the address says. */
const VIEWS = /^\/(runs(\/[^/]+)?|workflows(\/[^/]+)?|services)?\/?$/;

/**
 * What the page may do: run and show what came with it, and talk to the server that it came from.
 * Nothing is fetched from elsewhere, no other site may frame it, and nothing inline runs.
 */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Answers a request for the page or one of its files; `null` where the path is neither.
 *
 * An unchanged file is not sent again (`ETag`), and a new version of the program is seen at once.
 */
export async function pageResponse(request: Request): Promise<Response | null> {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const { pathname } = new URL(request.url);
  const asset = ASSETS.get(pathname) ?? (VIEWS.test(pathname) ? DOCUMENT : null);
  if (asset === null) return null;
  const tag = await tagOf(asset);
  const headers = {
    "content-type": asset.type,
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    etag: tag,
  };
  if (request.headers.get("if-none-match") === tag) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request.method === "HEAD" ? null : asset.body, { headers });
}

const tags = new Map<Asset, string>();

/** Names an asset's content. */
async function tagOf(asset: Asset): Promise<string> {
  let tag = tags.get(asset);
  if (tag === undefined) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(asset.body));
    tag = `"${new Uint8Array(digest).toHex().slice(0, 32)}"`;
    tags.set(asset, tag);
  }
  return tag;
}

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

/** By the path that the document asks for; it adds a digest, so that they may be kept for good. */
const ASSETS: ReadonlyMap<string, { readonly body: string; readonly type: string }> = new Map([
  ["/assets/app.js", { body: script, type: "text/javascript; charset=utf-8" }],
  ["/assets/app.css", { body: style, type: "text/css; charset=utf-8" }],
  ["/assets/icon.svg", { body: icon, type: "image/svg+xml" }],
]);

/** The addresses of views: each is the same document, whose script shows what the address says. */
const VIEWS = /^\/(runs(\/[^/]+)?|workflows(\/[^/]+)?|services)?\/?$/;

/** Answers for a path of the page; `null` where there is nothing at it. */
export function pageResponse(path: string): Response | null {
  const asset = ASSETS.get(path);
  if (asset !== undefined) {
    const { body, type } = asset;
    return answer(body, type, "public, max-age=31536000, immutable");
  }
  return VIEWS.test(path) ? answer(document, "text/html; charset=utf-8", "no-cache") : null;
}

function answer(body: string, type: string, cache: string): Response {
  return new Response(body, { headers: { "content-type": type, "cache-control": cache } });
}

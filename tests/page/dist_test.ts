/** What the server has of the page is what its sources make. */
import assert from "node:assert/strict";
import { buildPage, DIST } from "../../page/build.ts";
import { pageResponse } from "../../src/server/page/page.ts";

Deno.test("src/server/page/dist is what `deno task page` makes", async () => {
  for (const [name, text] of await buildPage()) {
    const kept = await Deno.readTextFile(new URL(name, DIST));
    assert.ok(kept === text, `src/server/page/dist/${name} is stale: run "deno task page"`);
  }
});

Deno.test("the page stays small enough for a phone", async () => {
  let size = 0;
  for await (const { name } of Deno.readDir(DIST)) {
    const { readable } = await Deno.open(new URL(name, DIST));
    const packed = readable.pipeThrough(new CompressionStream("gzip"));
    for await (const chunk of packed) size += chunk.length;
  }
  assert.ok(size < 100 * 1024, `${size} bytes`);
});

Deno.test("the document loads nothing from elsewhere, and has nothing inline", async () => {
  const document = await text("/");
  assert.doesNotMatch(document, /<style|style=|\son\w+=|<script(?![^>]*\ssrc="\/assets\/)/);
  for (const [, address = ""] of document.matchAll(/\s(?:src|href)="([^"]*)"/g)) {
    assert.match(address, /^\/assets\/[\w.]+\?[0-9a-f]{12}$/);
  }
  assert.doesNotMatch(await text("/assets/app.css"), /url\(|@import/);
});

Deno.test("every address of a view has the document, and no other", async () => {
  const document = await text("/");
  for (const path of ["/runs", "/runs/a%2Fb", "/workflows", "/workflows/w", "/services"]) {
    assert.equal(await text(path), document, path);
  }
  for (const path of ["/run", "/runs/a/b", "/assets/", "/assets/none.js", "/favicon.ico"]) {
    assert.equal(pageResponse(path), null, path);
  }
});

Deno.test("assets are kept for good, the document is asked for anew", () => {
  assert.match(header("/assets/app.js", "cache-control"), /immutable/);
  assert.match(header("/assets/app.js", "content-type"), /^text\/javascript/);
  assert.match(header("/assets/app.css", "content-type"), /^text\/css/);
  assert.equal(header("/runs", "cache-control"), "no-cache");
});

async function text(path: string): Promise<string> {
  return await pageResponse(path)?.text() ?? "";
}

function header(path: string, name: string): string {
  return pageResponse(path)?.headers.get(name) ?? "";
}

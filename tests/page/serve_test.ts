/** `maestro serve` has the page. */
import assert from "node:assert/strict";
import { serve } from "../server/serving.ts";
import { tempFiles } from "../support/temp_files.ts";

Deno.test("`maestro serve` answers with the page, under a strict policy, without a token", async () => {
  await using files = await tempFiles({
    "w/none.yaml": "name: none\nsteps: [{ return: 1 }]\n",
    tokens: `vera viewer ${"0".repeat(64)}\n`,
  });
  await using server = await serve({
    workflows: files.path("w"),
    args: ["--tokens", files.path("tokens")],
  });
  const document = await fetch(`${server.url}/runs`);
  assert.equal(document.status, 200);
  assert.match(await document.text(), /<div id="app">/);
  const policy = document.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
  const script = await fetch(`${server.url}/assets/app.js`);
  assert.match(script.headers.get("content-type") ?? "", /javascript/);
  await script.body?.cancel();
  const api = await fetch(`${server.url}/api/v1/runs`);
  assert.equal(api.status, 401);
  await api.body?.cancel();
});

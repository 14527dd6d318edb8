import assert from "node:assert/strict";
import { machinesPage } from "../docs/draw_machines.ts";

import { blocksOf, problemsOf } from "./support/doc_examples.ts";

const root = new URL("../", import.meta.url);

Deno.test("docs/machines.md shows the machines as they are", async () => {
  const page = await Deno.readTextFile(new URL("docs/machines.md", root));
  assert.equal(page, machinesPage(), "run `deno task machines`");
});

const services = blocksOf(await Deno.readTextFile(new URL("docs/services.md", root)));

for (const block of services) {
  Deno.test(`docs/services.md:${block.line} is right, without a warning`, () => {
    assert.equal(block.language, "yaml");
    // What is declared here is called elsewhere, and names are bound for readers of the page.
    const problems = problemsOf(block, services).filter(({ code }) => !code.startsWith("unused_"));
    assert.deepEqual(problems, []);
  });
}

Deno.test("every link in the documentation leads somewhere", async () => {
  for await (const file of pages(root)) {
    const text = await Deno.readTextFile(file);
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const stat = await Deno.stat(new URL(target, file)).catch(() => null);
      assert.ok(stat, `${file.href.slice(root.href.length)} links to ${target}`);
    }
  }
});

async function* pages(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name === "node_modules" || name.startsWith(".") || name === "third_party") continue;
    if (isDirectory) yield* pages(new URL(`${name}/`, folder));
    else if (name.endsWith(".md")) yield new URL(name, folder);
  }
}

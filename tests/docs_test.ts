import assert from "node:assert/strict";
import { machinesPage } from "../docs/draw_machines.ts";

import { asWorkflow, blocksOf, problemsOf } from "./support/doc_examples.ts";
import { parse } from "./support/parsing.ts";

const root = new URL("../", import.meta.url);

Deno.test("docs/machines.md shows the machines as they are", async () => {
  const page = await Deno.readTextFile(new URL("docs/machines.md", root));
  assert.equal(page, machinesPage(), "run `deno task machines`");
});

for (const page of ["services.md", "saga.md"]) {
  const blocks = blocksOf(await Deno.readTextFile(new URL(`docs/${page}`, root)));
  const workflows = blocks.filter(({ language }) => language === "yaml");

  Deno.test(`docs/${page} shows workflows`, () => assert.ok(workflows.length > 3));

  for (const block of workflows) {
    Deno.test(`docs/${page}:${block.line} is right, without a warning`, () => {
      // What is declared here is called elsewhere, and names are bound for readers of the page.
      const problems = problemsOf(block, blocks).filter(({ code }) => !code.startsWith("unused_"));
      assert.deepEqual(problems, []);
    });
  }
}

Deno.test("the README's language at a glance is right, without a warning", async () => {
  const blocks = blocksOf(await Deno.readTextFile(new URL("README.md", root)));
  const glance = blocks.filter(({ language }) => language === "yaml");
  assert.equal(glance.length, 1);
  const child = `name: invoice\nsteps: [{ set: { fee: "{{ .input.total * 0.1 }}" } }]\n`;
  for (const block of glance) {
    const { problems } = parse(asWorkflow(block), { "invoice.yaml": child });
    assert.deepEqual(problems.filter(({ code }) => !code.startsWith("unused_")), []);
  }
});

Deno.test("every heading that the documentation links to is there", async () => {
  for await (const file of pages(root)) {
    for (const [, target = "", heading = ""] of linksIn(await Deno.readTextFile(file))) {
      if (heading === "" || /^[a-z]+:/.test(target)) continue;
      const page = target === "" ? file : new URL(target, file);
      const headings = [...(await Deno.readTextFile(page)).matchAll(/^#+ (.*)$/gm)];
      const anchors = headings.map(([, text = ""]) => anchorOf(text));
      const from = file.href.slice(root.href.length);
      assert.ok(anchors.includes(heading), `${from} links to ${target}#${heading}`);
    }
  }
});

function linksIn(text: string) {
  return text.matchAll(/\]\(([^)\s#]*)(?:#([^)]*))?\)/g);
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-");
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

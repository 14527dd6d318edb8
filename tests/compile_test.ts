/**
 * The single binary holds everything that the program reads. Its runtime comes from the network, so
 * here this Deno stands in for it: what is embedded is checked, the binary is not run.
 */
import assert from "node:assert/strict";
import { relative } from "./support/paths.ts";

const root = new URL("../", import.meta.url);

Deno.test("`deno task compile` embeds every module of the program", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "-A", "--output", `${folder}/maestro`, "mod.ts"],
      cwd: root,
      env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    const listing = new TextDecoder().decode(stderr);
    assert.ok(success, listing);
    for await (const [file, text] of modules(new URL("src/", root))) {
      const onlyTypes = !/^export (abstract |async )?(function|const|class)/m.test(text);
      assert.ok(onlyTypes || isListed(listing, file), `${file} is not embedded`);
    }
    for (const file of ["app.js", "app.css", "icon.svg", "index.html"]) {
      assert.ok(isListed(listing, `page/dist/${file}`), `${file} of the page is not embedded`);
    }
    assert.ok((await Deno.stat(`${folder}/maestro`)).size > 10_000_000);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the program reads no file of its own besides its modules", async () => {
  for await (const [file, text] of modules(new URL("src/", root))) {
    assert.doesNotMatch(text, /import\.meta\.(url|dirname|filename|resolve)/, file);
  }
});

async function* modules(folder: URL): AsyncGenerator<readonly [string, string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* modules(url);
    else if (name.endsWith(".ts")) yield [relative(root, url.href), await Deno.readTextFile(url)];
  }
}

/** The listing is a tree; a folder with little in it is one line, such as `rpc/* (20KB)`. */
function isListed(listing: string, file: string): boolean {
  const [name = "", ...folders] = file.split("/").toReversed();
  return listing.includes(` ${name} (`) ||
    folders.some((folder) => listing.includes(` ${folder}/* (`));
}

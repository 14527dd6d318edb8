/**
 * Builds the server's page, `deno task page`, into the folder from which the server embeds it. What it
 * makes depends on the sources alone, so that a test can tell whether the folder is stale.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const source = new URL("app/", import.meta.url);

/** Style sheets in the order in which they apply. */
const STYLES = ["tokens", "base", "shell", "lists", "run", "graph", "timeline", "forms", "narrow"];

/** The page's files by name. */
export async function buildPage(): Promise<ReadonlyMap<string, string>> {
  const styles = await Promise.all(STYLES.map((name) => read(`style/${name}.css`)));
  const assets = new Map([
    ["app.js", await bundle()],
    ["app.css", styles.map(shorten).join("")],
    ["icon.svg", await read("icon.svg")],
  ]);
  let document = await read("index.html");
  for (const [name, text] of assets) {
    document = document.replaceAll(`/assets/${name}`, `/assets/${name}?${digest(text)}`);
  }
  return new Map([...assets, ["index.html", document]]);
}

/** With it in its address, a file is asked for anew when it has changed, and only then. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

async function bundle(): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform", "browser", "--minify", "-o", file, "main.tsx"],
      cwd: fileURLToPath(source),
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      throw new Error(`Cannot bundle the page: ${new TextDecoder().decode(stderr).trim()}`);
    }
    return await Deno.readTextFile(file);
  } finally {
    await Deno.remove(file);
  }
}

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, source));
}

/** Without comments and indentation. */
function shorten(css: string): string {
  return css.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\s*\n\s*/g, "\n").replace(/^\n+/, "");
}

/** Where the server has the page from. */
export const DIST: URL = new URL("../src/server/page/dist/", import.meta.url);

if (import.meta.main) {
  await Deno.mkdir(DIST, { recursive: true });
  for (const [name, text] of await buildPage()) {
    await Deno.writeTextFile(new URL(name, DIST), text);
    console.error(`${name}: ${(text.length / 1024).toFixed(1)} KiB`);
  }
}

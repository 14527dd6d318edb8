import { dirname, join } from "node:path";

/** A directory that goes away at the end of a test, with the files of it. */
export interface TempFiles extends AsyncDisposable {
  readonly directory: string;
  /** The path of a file in it. */
  path(name: string): string;
}

/** Writes files into a directory of their own. */
export async function tempFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<TempFiles> {
  const directory = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
  return {
    directory,
    path: (name) => join(directory, name),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

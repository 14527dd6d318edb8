import { whyUnreadable } from "../workflow/unreadable.ts";

/** The largest file that is read at all, in bytes. The parser's own limit is lower. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * A file's text.
 *
 * @throws an error whose message says in plain words why it can't be read
 */
export function readText(path: string): string {
  let bytes: Uint8Array;
  try {
    const { isDirectory, size } = Deno.statSync(path);
    if (isDirectory) throw new Error("it is a directory; name a file in it");
    if (size > MAX_BYTES) {
      throw new Error(
        `it has ${(size / 1024 / 1024).toFixed(1)} MiB; a workflow has at most 1 MiB`,
      );
    }
    bytes = Deno.readFileSync(path);
  } catch (thrown) {
    throw new Error(whyUnreadable(thrown), { cause: thrown });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw new Error("it is not UTF-8 text", { cause: thrown });
  }
}

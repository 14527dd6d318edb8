import { MaestroError } from "../errors.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";

/**
 * Reads a whole file that an option names.
 *
 * @param option how it was asked for, for messages: `--input`
 * @throws {MaestroError} `USAGE`
 */
export async function readBytes(path: string, option: string, limit: number): Promise<Uint8Array> {
  const refuse = (why: string) =>
    new MaestroError("USAGE", `Cannot read "${path}" for ${option}: ${why}`);
  try {
    const { isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw refuse("it is a directory; name a file in it");
    if (size > limit) {
      throw refuse(`it has ${megabytes(size)}, and at most ${megabytes(limit)} are read`);
    }
    return await Deno.readFile(path);
  } catch (thrown) {
    if (thrown instanceof MaestroError) throw thrown;
    throw refuse(whyUnreadable(thrown));
  }
}

/**
 * Reads standard input to its end.
 *
 * @param option how it was asked for, for messages: `--input`
 * @throws {MaestroError} `USAGE`
 */
export async function readStdin(limit: number, option: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of Deno.stdin.readable) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw new MaestroError(
      "USAGE",
      `Cannot read standard input for ${option}: ${whyUnreadable(thrown)}`,
    );
  }
  if (size <= limit) return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  throw new MaestroError(
    "USAGE",
    `Cannot use standard input: at most ${megabytes(limit)} are read`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MiB`;
}

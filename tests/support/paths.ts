import { fileURLToPath } from "node:url";

/** The path of a file URL. */
export const fromFileUrl: (url: URL) => string = fileURLToPath;

/** A file's path below a folder, with `/` between its parts. */
export function relative(folder: URL, file: string): string {
  return file.slice(folder.href.length);
}

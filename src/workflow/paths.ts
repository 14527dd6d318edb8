import { dirname, isAbsolute, join } from "node:path";

/** A path that a file says, as seen from where the file itself is seen from. */
export function besideFile(file: string, path: string): string {
  if (path.startsWith("{{") || isAbsolute(path)) return path;
  const folder = dirname(file);
  if (folder === "." && !file.startsWith(".")) return path.replace(/^\.\//, "");
  // What is in an expression must stay as it is, and `join` would tidy it up.
  return path.includes("{{") ? `${folder}/${path}` : join(folder, path);
}

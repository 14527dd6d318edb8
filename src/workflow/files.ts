/** Reads a file's text; throws where it can't. */
export type ReadText = (path: string) => string;

const MAX_FILES = 100;

/** The files that one load reads: each is read once, and there is a bound to how many. */
export class Files {
  /** The text of every file read, in the order of reading. */
  readonly texts = new Map<string, string>();

  constructor(readonly readText: ReadText) {}

  /** A file's text, or why there is none. */
  read(file: string): string | { readonly code: string; readonly refusal: string } {
    const known = this.texts.get(file);
    if (known !== undefined) return known;
    if (this.texts.size >= MAX_FILES) {
      return { code: "too_many_files", refusal: `Cannot read more than ${MAX_FILES} files` };
    }
    try {
      const text = this.readText(file);
      this.texts.set(file, text);
      return text;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { code: "unreadable_file", refusal: `Cannot read "${file}": ${why}` };
    }
  }
}

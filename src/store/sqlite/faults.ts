import { MaestroError } from "../../errors.ts";

/** What the messages of SQLite and of the system mean for a person, and what to do. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /disk is full|No space left|quota exceeded/,
    "the disk is full; make room, then go on with what is open",
  ],
  [
    /readonly database|Read-only file system|Permission denied/,
    "it may not be written; make the file and its folder writable",
  ],
  [
    /disk image is malformed/,
    'the file is damaged; put a copy back, or save what can be read with SQLite\'s ".recover"',
  ],
  [/not a database/, "it is no SQLite database; name another file"],
  [/is locked/, "another process has kept it locked for too long; end that one, or try again"],
  [
    /Not a directory|File exists/,
    "a part of its path is a file, where a folder should be; name another path",
  ],
  [/unable to open/, "it can't be opened; may the file and its folder be read and written?"],
  [/disk I\/O error/, "the disk gives an error; is it full, or broken?"],
];

/** Whether another process has the lock: it may be tried again. */
export function isLocked(thrown: unknown): boolean {
  return /is locked/.test(String(thrown));
}

/** Why the store can't be used, as people read it. */
export function storeFailed(path: string, thrown: unknown): MaestroError {
  if (thrown instanceof MaestroError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const meaning = MEANINGS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
  return new MaestroError("STORE_FAILED", `Cannot use the store "${path}": ${meaning}`, {
    cause: thrown,
  });
}

import { MaestroError } from "../../errors.ts";

/** What SQLite's messages mean for a person, and what to do. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/disk is full/, "the disk is full; make room, then go on with what is open"],
  [/readonly database/, "it is read-only; make the file and its folder writable"],
  [
    /disk image is malformed/,
    'the file is damaged; put a copy back, or save what can be read with SQLite\'s ".recover"',
  ],
  [/not a database/, "it is no SQLite database; name another file"],
  [/is locked/, "another process has kept it locked for too long; end that one, or try again"],
  [/unable to open/, "it can't be opened; is there such a folder, and may it be written?"],
  [/disk I\/O error/, "the disk gives an error; is it full, or broken?"],
];

/** Why the store can't be used, as people read it. */
export function storeFailed(path: string, thrown: unknown): MaestroError {
  if (thrown instanceof MaestroError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const meaning = MEANINGS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
  return new MaestroError("STORE_FAILED", `Cannot use the store "${path}": ${meaning}`, {
    cause: thrown,
  });
}

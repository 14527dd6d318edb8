/** What the operating system's errors mean, by the names that Deno gives them. */
const MEANINGS: Readonly<Record<string, string>> = {
  NotFound: "there is no such file",
  NotADirectory: "there is no such file",
  PermissionDenied: "you have no permission to read it",
  IsADirectory: "it is a directory; name a file in it",
  FilesystemLoop: "its symbolic links go in a circle",
  NotCapable: "the program may not read it: it was started without --allow-read for it",
};

/** Why a file can't be read, in plain words. */
export function whyUnreadable(thrown: unknown): string {
  const { name, message } = thrown instanceof Error
    ? thrown
    : { name: "", message: String(thrown) };
  return (Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined) ??
    message.replace(/ \(os error \d+\).*$/s, "");
}

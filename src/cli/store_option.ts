/**
 * Where runs are kept, as `--store` says.
 *
 * @module
 */
import type { Journal } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";

/** Where runs are kept when nobody says. */
export const DEFAULT_STORE = "sqlite:.maestro/maestro.db";

/** A server that has runs, as the options name it. */
export interface ServerPlace {
  /** Its URL. */
  readonly server: string;
  readonly tokenFile?: string | undefined;
  /** The token may go over a network where others could read it. */
  readonly insecure?: true | undefined;
}

/** Where runs are: in a store, as `--store` has it, or at a server. */
export type Place = string | ServerPlace;

/** What `--store` names. */
export type Store =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string };

/**
 * Reads `--store`.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseStore(text: string): Store {
  if (text === "memory") return { kind: "memory" };
  const path = text.startsWith("sqlite:") ? text.slice("sqlite:".length) : "";
  const isPath = path !== "" && !/^(:|file:)/i.test(path); // which SQLite takes for more than a path
  if (isPath) return { kind: "sqlite", path };
  const why = text.startsWith("sqlite:") ? "it names no file" : "it is not a store";
  throw new MaestroError(
    "USAGE",
    `Cannot use --store "${text}": ${why}; use "memory", or a file as in "${DEFAULT_STORE}"`,
  );
}

/**
 * ` --store sqlite:other.db`, or ` --server http://…`, for commands that someone is told to type; empty
 * for the default.
 */
export function placeOption(place: Place): string {
  if (typeof place === "string") {
    return place === DEFAULT_STORE ? "" : ` --store ${shellWord(place)}`;
  }
  const { server, tokenFile, insecure } = place;
  const token = tokenFile === undefined ? "" : ` --token-file ${shellWord(tokenFile)}`;
  return ` --server ${shellWord(server)}${token}${insecure ? " --insecure" : ""}`;
}

/** What someone can type to go on with a run; `null`: with all that are open. */
export function resumeCommand(runId: string | null, place: Place): string {
  return `maestro runs resume${runId === null ? "" : ` ${shellWord(runId)}`}${placeOption(place)}`;
}

/** What someone can type to see where a run stands. */
export function showCommand(runId: string, place: Place): string {
  return `maestro runs show ${shellWord(runId)}${placeOption(place)}`;
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Opens the store that a run is kept in; a file that is missing is made.
 *
 * @throws {MaestroError} `USAGE`; `STORE_FAILED`
 */
export async function openStore(text: string): Promise<Journal> {
  const store = parseStore(text);
  if (store.kind === "memory") {
    const { memoryJournal } = await import("../store/memory.ts");
    return memoryJournal();
  }
  await isThere(store.path);
  return await openFile(store.path, false);
}

/**
 * Opens the store that runs are in already.
 *
 * @throws {MaestroError} `USAGE`; `STORE_FAILED`, also where there is no such file
 */
export async function openExisting(text: string): Promise<Journal> {
  const store = parseStore(text);
  if (store.kind === "memory") {
    throw new MaestroError(
      "USAGE",
      `Cannot use --store "memory" here: runs in memory end with their process; name a file, as in "${DEFAULT_STORE}"`,
    );
  }
  if (!await isThere(store.path)) {
    throw new MaestroError(
      "STORE_FAILED",
      `There is no store at "${store.path}"; run a workflow first, or name the store with --store`,
    );
  }
  return await openFile(store.path, true);
}

/** Says of a run that is not there in which store it is not. @throws {MaestroError} `RUN_NOT_FOUND`, and others */
export function inStore<T>(text: string, finding: Promise<T>): Promise<T> {
  return whereNot(`in the store "${text}"`, finding);
}

/** Says of a run that is not there where it is not. @throws {MaestroError} `RUN_NOT_FOUND`, and others */
export async function whereNot<T>(place: string, finding: Promise<T>): Promise<T> {
  try {
    return await finding;
  } catch (thrown) {
    const { code, message } = MaestroError.from(thrown);
    if (code !== "RUN_NOT_FOUND") throw thrown;
    throw new MaestroError(code, `${message} ${place}`);
  }
}

async function openFile(path: string, mustExist: boolean): Promise<Journal> {
  const { sqliteJournal } = await import("../store/sqlite/journal.ts");
  return sqliteJournal(path, { mustExist });
}

/** Whether there is something. @throws {MaestroError} `USAGE` where it is a device, say, which keeps nothing */
async function isThere(path: string): Promise<boolean> {
  const found = await statOf(path);
  if (found && !found.isFile && !found.isDirectory) {
    throw new MaestroError(
      "USAGE",
      `Cannot use --store "sqlite:${path}": it is no file; name one, as in "${DEFAULT_STORE}"`,
    );
  }
  return found !== null;
}

/** `null`: there is nothing; `undefined`: what else is wrong is said by who opens it. */
async function statOf(path: string): Promise<Deno.FileInfo | null | undefined> {
  try {
    return await Deno.stat(path);
  } catch (thrown) {
    const { NotFound, NotADirectory } = Deno.errors;
    return thrown instanceof NotFound || thrown instanceof NotADirectory ? null : undefined;
  }
}

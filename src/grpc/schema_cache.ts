import type { Schema } from "./schema.ts";

/** For how long what a server said of itself is believed, in milliseconds: then it may be redeployed. */
const MAX_AGE = 60_000;
/** How often files are looked at for changes, in milliseconds. */
const FILE_CHECK_INTERVAL = 1_000;

/** A schema as its source gave it. */
export interface LoadedSchema {
  readonly schema: Schema;
  /** The files it was read from, `[]` where nothing can change; `null`: a server was asked. */
  readonly files: readonly string[] | null;
}

interface Entry {
  readonly loaded: Promise<StampedSchema>;
  readonly loadedAt: number;
  checkedAt: number;
  /** Whether the files had not changed when they were last looked at. */
  unchanged: Promise<boolean>;
}

interface StampedSchema extends LoadedSchema {
  /** The state of the files when they were read. */
  readonly stamp: string;
}

/** Schemas at hand. Those who ask at the same time share one loading; a failure is not kept. */
export class SchemaCache {
  readonly #byKey = new Map<string, Entry>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The schema under a key, loaded where it is not at hand, or no longer believed. */
  async get(key: string, load: () => Promise<LoadedSchema>): Promise<Schema> {
    const known = this.#byKey.get(key);
    if (known !== undefined && await isCurrent(known, this.#now())) {
      return (await known.loaded).schema;
    }
    // Another caller may have begun while the files were looked at.
    const begun = this.#byKey.get(key);
    const entry = begun === undefined || begun === known ? this.#load(key, load) : begun;
    return (await entry.loaded).schema;
  }

  #load(key: string, load: () => Promise<LoadedSchema>): Entry {
    const now = this.#now();
    const entry: Entry = {
      loaded: stamped(load()),
      loadedAt: now,
      checkedAt: now,
      unchanged: Promise.resolve(true),
    };
    this.#byKey.set(key, entry);
    entry.loaded.catch(() => {
      if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
    });
    return entry;
  }
}

/** With its stamp, or who asks next would find the files changed before there is one. */
async function stamped(loading: Promise<LoadedSchema>): Promise<StampedSchema> {
  const loaded = await loading;
  return { ...loaded, stamp: loaded.files === null ? "" : await stampOf(loaded.files) };
}

async function isCurrent(entry: Entry, now: number): Promise<boolean> {
  const { files, stamp } = await entry.loaded;
  if (files === null) return now - entry.loadedAt < MAX_AGE;
  if (now - entry.checkedAt >= FILE_CHECK_INTERVAL) {
    entry.checkedAt = now;
    entry.unchanged = stampOf(files).then((found) => found === stamp);
  }
  // Who asks meanwhile waits for the same look: a run's methods are to come from one schema.
  return await entry.unchanged;
}

async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const info = await Deno.stat(file).catch(() => null);
    return `${info?.mtime?.getTime()}:${info?.size}`;
  });
  return (await Promise.all(stamps)).join(" ");
}

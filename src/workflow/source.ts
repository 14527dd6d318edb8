/**
 * Where the parts of a YAML file stand: every map and list read from it is marked with the places
 * of its keys and values, so that a problem found later can still point at them.
 *
 * @module
 */
import type { Place } from "./model.ts";

/** A file's text, with its lines. */
export class Source {
  readonly #starts: number[] = [0];

  constructor(readonly file: string, readonly text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  /** The line and column of an offset; both count from 1, columns in UTF-16 units. */
  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }

  /** Where the line with this offset ends (before its line break). */
  endOfLine(offset: number): number {
    const end = this.text.indexOf("\n", offset);
    return end === -1 ? this.text.length : end;
  }
}

/** A stretch of a file. */
export interface Spot {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Where a map's or list's parts stand, by key or index. */
export interface Marks {
  readonly self: Spot;
  readonly keys: Map<string, Spot>;
  readonly values: Map<string, Spot>;
}

/** The way from a file's root to one of its parts. */
export type Path = readonly PropertyKey[];

const marks = new WeakMap<object, Marks>();

/** Remembers where the parts of a value stand. */
export function mark(value: object, where: Marks): void {
  marks.set(value, where);
}

/** Where the parts of a value stand, if it was read from a file. */
export function marksOf(value: unknown): Marks | undefined {
  return typeof value === "object" && value !== null ? marks.get(value) : undefined;
}

/** The places of everything below one root. */
export class Places {
  constructor(readonly root: unknown, readonly whole: Spot) {}

  /** The value at a path, or `undefined`. */
  get(path: Path): unknown {
    let value = this.root;
    for (const key of path) value = own(value, key);
    return value;
  }

  /** Where the value at a path stands; the nearest part around it where there is none. */
  valueSpot(path: Path): Spot {
    return this.#spot(path, "values");
  }

  /** Where the key of a path's last part stands; an item of a list has none, so where it begins. */
  keySpot(path: Path): Spot {
    return this.#spot(path, "keys");
  }

  value(path: Path): Place {
    return startOf(this.valueSpot(path));
  }

  key(path: Path): Place {
    return startOf(this.keySpot(path));
  }

  /** Where the character at `index` of the text at a path stands. */
  text(path: Path, index: number): Place {
    const spot = this.valueSpot(path);
    const text = this.get(path);
    return spot.source.place(typeof text === "string" ? offsetIn(spot, text, index) : spot.start);
  }

  #spot(path: Path, kind: "keys" | "values"): Spot {
    let value = this.root;
    let spot = marksOf(value)?.self ?? this.whole;
    for (const key of path) {
      const here = marksOf(value);
      spot = here?.[kind].get(String(key)) ?? here?.values.get(String(key)) ?? spot;
      value = own(value, key);
      if (value === undefined) break;
    }
    return spot;
  }
}

function startOf(spot: Spot): Place {
  return spot.source.place(spot.start);
}

function own(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key]; // any object may be asked for a key
}

/**
 * Where a character of a scalar's value stands in the file. Escapes, folded lines and indentation
 * make the two differ: then the text at hand is looked for, counting how often it came before.
 */
function offsetIn({ source, start, end }: Spot, value: string, index: number): number {
  const raw = source.text.slice(start, end);
  const quote = /^["']/.test(raw) ? 1 : 0;
  if (raw.startsWith(value, quote)) return start + quote + index;
  const lineEnd = value.indexOf("\n", index);
  const rest = value.slice(index, lineEnd === -1 ? undefined : lineEnd).slice(0, 24);
  for (let length = rest.length; length > 0; length = length >> 1) {
    const needle = rest.slice(0, length);
    let at = raw.indexOf(needle);
    for (let seen = value.indexOf(needle); seen !== -1 && seen < index && at !== -1;) {
      seen = value.indexOf(needle, seen + 1);
      at = raw.indexOf(needle, at + 1);
    }
    if (at !== -1) return start + at;
  }
  return start;
}

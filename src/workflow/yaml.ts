/**
 * YAML text to plain data whose parts know where they stand.
 *
 * @module
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import type { Problem } from "../errors.ts";
import { problemAt } from "./problems.ts";
import { mark, type Marks, marksOf, Places, Source, type Spot } from "./source.ts";
import { type BareTemplate, findBareTemplates } from "./yaml_bare.ts";
import { parseDocument, TooDeep, tooManyDoubled } from "./yaml_document.ts";
import { causes, describeYamlError, unreadableAt } from "./yaml_errors.ts";

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;
/** The deepest nesting. */
export const MAX_DEPTH = 100;
/** So deep, the file is not read any further: there is more to it than this reader's levels. */
const MAX_STACK = 2 * MAX_DEPTH;
const TOO_DEEP = `Nested too deeply: more than ${MAX_DEPTH} levels`;
/** The most values in a file, counting what every alias stands for. */
export const MAX_VALUES = 200_000;

/** So many mistakes of syntax are told; the rest follow from them. */
const MAX_SYNTAX_PROBLEMS = 50;

/** What a file holds, and what is wrong with it. */
export interface ReadYaml {
  /** `undefined` where nothing can be made of the text. */
  readonly data: unknown;
  readonly places: Places;
  readonly problems: readonly Problem[];
}

const OPTIONS = {
  intAsBigInt: true,
  logLevel: "error", // "silent" would hide a second document
  merge: false, // the reader merges, so that places come along
  prettyErrors: false,
  uniqueKeys: false, // the reader says where the first one stands
  version: "1.2",
} as const;

/** Reads one YAML document. Never throws. */
export function readYaml(file: string, text: string): ReadYaml {
  const source = new Source(file, text);
  const start = text.charCodeAt(0) === 0xFEFF ? 1 : 0;
  const whole: Spot = { source, start, end: text.length };
  const nothing = (code: string, message: string, at = start): ReadYaml => ({
    data: undefined,
    places: new Places(undefined, whole),
    problems: [problemAt(source.place(at), code, message)],
  });
  // A UTF-16 unit takes at least a byte, so what is too long here need not be encoded to be measured.
  if (text.length > MAX_FILE_BYTES || new TextEncoder().encode(text).length > MAX_FILE_BYTES) {
    return nothing("file_too_large", "The file is larger than 1 MiB, the most that is read");
  }
  const doubled = tooManyDoubled(text);
  if (doubled !== null) {
    const message = "Cannot read the file: too many doubled quotes ('') follow one another";
    return nothing("too_many_quotes", message, doubled);
  }
  let document: Document.Parsed;
  let bare: readonly BareTemplate[];
  try {
    document = parseDocument(text, MAX_STACK, OPTIONS);
    bare = findBareTemplates(document, source).slice(0, MAX_SYNTAX_PROBLEMS);
  } catch (thrown) {
    if (!(thrown instanceof TooDeep)) throw thrown;
    return nothing("too_deep", TOO_DEEP, thrown.offset);
  }
  const problems = bare.map(({ problem }) => problem);
  const said = causes(
    [...document.errors, ...document.warnings]
      .map(({ code, message, pos: [at] }) => ({ code, message, at }))
      .filter(({ at }) => !bare.some(({ start, end }) => at >= start && at <= end)),
  ).slice(0, MAX_SYNTAX_PROBLEMS);
  problems.push(...said.map((error) => describeYamlError(error, source, document)));
  const contents = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return problems.length > 0
      ? { data: undefined, places: new Places(undefined, whole), problems }
      : nothing("empty", "The file is empty: a workflow needs at least a name and steps");
  }
  const told = [...bare.map(({ start }) => start), ...unreadableAt(said, document)];
  const reader = new Reader(source, new Set(told));
  const data = reader.read(contents, 0);
  return { data, places: new Places(data, whole), problems: [...problems, ...reader.problems] };
}

/** Stands where a value could not be read; its problem is already told. */
export const UNREADABLE: unique symbol = Symbol("unreadable");

type Anchored = { readonly data: unknown; readonly size: number } | "open";

class Reader {
  readonly problems: Problem[] = [];
  readonly #anchors = new Map<string, Anchored>();
  #size = 0;
  #full = false;

  /** @param told where values begin whose problem is told already */
  constructor(readonly source: Source, readonly told: ReadonlySet<number>) {}

  read(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    const before = this.#size;
    this.#size++;
    if (isAlias(node)) return this.#alias(node.source, this.#spot(node));
    if (depth > MAX_DEPTH) {
      return this.#refuse(this.#spot(node), "too_deep", TOO_DEEP);
    }
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, "open");
    const data = this.#content(node, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, { data, size: this.#size - before });
    return data;
  }

  #content(node: Node, depth: number): unknown {
    if (this.told.has(this.#spot(node).start)) return UNREADABLE;
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) {
      const list: unknown[] = [];
      const where = this.#marks(node, list);
      for (const item of node.items as (Node | null)[]) { // a list's items are nodes
        if (item !== null) where.values.set(String(list.length), this.#spot(item));
        list.push(this.read(item, depth + 1));
      }
      return list;
    }
    return isScalar(node) ? this.#scalar(node.value, node) : null;
  }

  #map(node: Extract<Node, { items: unknown }>, depth: number): unknown {
    const map: Record<string, unknown> = {};
    const where = this.#marks(node, map);
    const merged: { readonly data: unknown; readonly spot: Spot }[] = [];
    for (const pair of node.items as { key: Node | null; value: Node | null }[]) {
      const key = this.#key(pair.key, node);
      const value = this.read(pair.value, depth + 1);
      if (key === null) continue;
      const spot = pair.key === null ? where.self : this.#spot(pair.key);
      if (key === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN") {
        merged.push({ data: value, spot });
        continue;
      }
      const first = where.keys.get(key);
      if (first !== undefined) {
        const { line } = this.source.place(first.start);
        this.#problem(spot, "duplicate_key", `"${key}" is written twice: first at line ${line}`);
        continue;
      }
      where.keys.set(key, spot);
      where.values.set(
        key,
        pair.value === null || isEmpty(pair.value) ? spot : this.#spot(pair.value),
      );
      set(map, key, value);
    }
    for (const { data, spot } of merged) this.#merge(map, where, data, spot);
    return map;
  }

  /** What a map has wins over what is merged into it, and earlier maps win over later ones. */
  #merge(map: Record<string, unknown>, where: Marks, data: unknown, spot: Spot): void {
    for (const from of Array.isArray(data) ? data : [data]) {
      if (from === UNREADABLE) continue;
      const there = marksOf(from);
      if (there === undefined || typeof from !== "object" || Array.isArray(from)) {
        this.#problem(
          spot,
          "bad_merge",
          `Cannot merge: "<<" takes a map, an alias of one, or a list of them`,
        );
        return;
      }
      for (const [key, value] of Object.entries(from ?? {})) {
        if (Object.hasOwn(map, key)) continue;
        set(map, key, value);
        const [keySpot, valueSpot] = [there.keys.get(key), there.values.get(key)];
        if (keySpot !== undefined) where.keys.set(key, keySpot);
        if (valueSpot !== undefined) where.values.set(key, valueSpot);
      }
    }
  }

  #key(node: Node | null, map: Node): string | null {
    if (isAlias(node)) {
      const data = this.#alias(node.source, this.#spot(node));
      if (typeof data === "string") return data;
    } else if (isScalar(node) && node.value !== null) {
      return typeof node.value === "string" ? node.value : node.source ?? String(node.value);
    }
    const spot = this.#spot(node ?? map);
    if (!this.told.has(spot.start) && !this.told.has(this.#spot(map).start)) {
      this.#problem(spot, "bad_key", "A key must be text");
    }
    return null;
  }

  #alias(name: string, spot: Spot): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      return this.#refuse(spot, "unknown_alias", `No anchor "&${name}" stands before this alias`);
    }
    if (target === "open") {
      return this.#refuse(
        spot,
        "alias_circle",
        `The alias "*${name}" stands inside its own anchor`,
      );
    }
    this.#size += target.size;
    if (this.#size > MAX_VALUES) {
      if (this.#full) return UNREADABLE;
      this.#full = true;
      return this.#refuse(
        spot,
        "too_many_aliases",
        `Too many aliases: together they stand for more than ${MAX_VALUES} values`,
      );
    }
    return target.data;
  }

  #scalar(value: unknown, node: Node): unknown {
    switch (typeof value) {
      case "bigint": {
        if (value >= -(2n ** 53n) && value <= 2n ** 53n) return Number(value);
        const spot = this.#spot(node);
        const text = this.source.text.slice(spot.start, spot.end).trim();
        return this.#refuse(
          spot,
          "big_integer",
          `The integer ${text} is beyond 2^53 and would lose digits: write it as a string, "${text}"`,
        );
      }
      case "number": // as ProtoJSON spells what JSON can't
        return Number.isFinite(value) ? value : String(value);
      case "string":
      case "boolean":
        return value;
      default:
        return null;
    }
  }

  #marks(node: Node, value: object): Marks {
    const where = { self: this.#spot(node), keys: new Map(), values: new Map() };
    mark(value, where);
    return where;
  }

  #spot(node: Node): Spot {
    const [start, end] = node.range ?? [0, 0];
    return { source: this.source, start, end };
  }

  #refuse(spot: Spot, code: string, message: string): typeof UNREADABLE {
    this.#problem(spot, code, message);
    return UNREADABLE;
  }

  #problem(spot: Spot, code: string, message: string): void {
    this.problems.push(problemAt(this.source.place(spot.start), code, message));
  }
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
}

/** A plain property, whatever its name. */
function set(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

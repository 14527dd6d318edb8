// What the program knows: tables of JSON values in memory, and a file to find them again.
//
// The file has one line for each transaction, written and flushed before anyone is answered. A
// crash can only tear the last line, and nobody was told of that one: it is dropped on the next
// start.

import { Buffer } from "node:buffer";
import fs from "node:fs";
import { join } from "node:path";
import process from "node:process";

export class Store {
  /** @type {Map<string, Map<string, unknown>>} */
  #tables = new Map();
  /** @type {number | undefined} */
  #file;
  /** What the open transaction changed: [table, key, value] and what was there before. */
  #changes;

  /** @param {string | undefined} directory made when missing; without one, all is in memory only */
  constructor(directory) {
    if (directory === undefined) return;
    fs.mkdirSync(directory, { recursive: true });
    const path = join(directory, "services.jsonl");
    const { O_RDWR, O_CREAT, O_APPEND } = fs.constants;
    this.#file = fs.openSync(path, O_RDWR | O_CREAT | O_APPEND);
    this.#replay();
    // A new file's name is part of its directory, which has to reach the disk too.
    const parent = fs.openSync(directory, "r");
    fs.fsyncSync(parent);
    fs.closeSync(parent);
  }

  get(table, key) {
    return this.#tables.get(table)?.get(key);
  }

  values(table) {
    return [...(this.#tables.get(table)?.values() ?? [])];
  }

  /** How many rows a table has. */
  size(table) {
    return this.#tables.get(table)?.size ?? 0;
  }

  put(table, key, value) {
    if (!this.#changes) throw new Error("Cannot change anything outside of a transaction");
    this.#changes.push({ change: [table, key, value], before: this.get(table, key) });
    this.#set(table, key, value);
  }

  /** @returns {boolean} whether there was something to delete */
  delete(table, key) {
    if (this.get(table, key) === undefined) return false;
    this.put(table, key, null);
    return true;
  }

  /** Deletes everything. */
  clear() {
    for (const [table, rows] of this.#tables) {
      for (const key of [...rows.keys()]) this.delete(table, key);
    }
  }

  /**
   * Does all of `work`, or, when it throws, nothing of it. Nothing else can happen in between:
   * `work` must not wait for anything.
   *
   * @template Result
   * @param {() => Result} work
   * @returns {Result}
   */
  transaction(work) {
    this.#changes = [];
    try {
      const result = work();
      if (this.#changes.length > 0) this.#append(this.#changes.map(({ change }) => change));
      return result;
    } catch (error) {
      for (const { change: [table, key], before } of this.#changes.reverse()) {
        this.#set(table, key, before ?? null);
      }
      throw error;
    } finally {
      this.#changes = undefined;
    }
  }

  close() {
    if (this.#file !== undefined) fs.closeSync(this.#file);
  }

  #set(table, key, value) {
    if (!this.#tables.has(table)) this.#tables.set(table, new Map());
    if (value === null) this.#tables.get(table).delete(key);
    else this.#tables.get(table).set(key, value);
  }

  #append(changes) {
    if (this.#file === undefined) return;
    try {
      const line = Buffer.from(`${JSON.stringify(changes)}\n`);
      for (let at = 0; at < line.length;) at += fs.writeSync(this.#file, line, at);
      fs.fsyncSync(this.#file);
    } catch (error) {
      // What is on the disk now, nobody can say. A new start finds out.
      console.error(`Cannot write the store: ${error}`);
      process.exit(1);
    }
  }

  #replay() {
    const content = fs.readFileSync(this.#file);
    const end = content.lastIndexOf("\n") + 1;
    for (const line of content.toString("utf8", 0, end).split("\n").slice(0, -1)) {
      for (const [table, key, value] of JSON.parse(line)) this.#set(table, key, value);
    }
    fs.ftruncateSync(this.#file, end);
  }
}

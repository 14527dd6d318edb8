import type { Problem } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { LocatedError } from "./located.ts";

/** What is wrong with a JSON text, and at which offset. */
interface Fault {
  readonly at: number;
  readonly what: string;
}

const MAX_DEPTH = 500;

/**
 * Reads JSON as the standard has it, and says where it isn't. Integers that a double can't hold
 * are refused, since a digit would be lost.
 *
 * @param origin what the text is, for messages: `--input`, `order.json`
 * @throws {LocatedError} `INPUT_INVALID`
 */
export function parseJson(text: string, origin: string): Json {
  const source = text.charCodeAt(0) === 0xFEFF ? text.slice(1) : text;
  const fault = new Scanner(source).fault();
  if (fault === null) return JSON.parse(source);
  const before = source.slice(0, fault.at);
  const problem: Problem = {
    severity: "error",
    code: "not_json",
    message: `Cannot read this as JSON: ${fault.what}`,
    file: origin,
    line: before.split("\n").length,
    column: fault.at - before.lastIndexOf("\n"),
  };
  throw new LocatedError("INPUT_INVALID", [problem], new Map([[origin, source]]));
}

/** Looks for the first fault of a text; the platform's own messages name no place for most. */
class Scanner {
  #at = 0;

  constructor(readonly text: string) {}

  fault(): Fault | null {
    try {
      this.#space();
      this.#value(0);
      this.#space();
      if (this.#at < this.text.length) this.#fail("nothing may follow the value");
      return null;
    } catch (thrown) {
      if (thrown instanceof Found) return thrown.fault;
      throw thrown;
    }
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`it is nested deeper than ${MAX_DEPTH} levels`);
    const char = this.text[this.#at];
    if (char === "{") return this.#list("}", () => this.#member(depth));
    if (char === "[") return this.#list("]", () => this.#value(depth + 1));
    if (char === '"') return this.#string();
    if (this.#take(/true|false|null/y) !== null) return;
    const number = this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number === null) this.#unexpected("a value");
    if (/^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number))) {
      this.#at -= number.length;
      this.#fail(
        `${number} has more digits than a JSON number keeps; write it as a string: "${number}"`,
      );
    }
  }

  #member(depth: number): void {
    if (this.text[this.#at] !== '"') this.#unexpected("a key in double quotes");
    this.#string();
    this.#space();
    if (this.text[this.#at] !== ":") this.#unexpected('":" after the key');
    this.#at++;
    this.#space();
    this.#value(depth + 1);
  }

  #list(close: string, item: () => void): void {
    this.#at++;
    this.#space();
    if (this.text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#space();
      const char = this.text[this.#at];
      if (char !== "," && char !== close) this.#unexpected(`"," or "${close}"`);
      this.#at++;
      if (char === close) return;
      this.#space();
      if (this.text[this.#at] === close) this.#fail(`no comma may stand before "${close}"`);
    }
  }

  #string(): void {
    const begin = this.#at;
    this.#at++;
    // deno-lint-ignore no-control-regex -- JSON forbids exactly these in strings
    this.#take(/(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y);
    const char = this.text[this.#at];
    if (char === '"') this.#at++;
    else if (char === undefined) {
      this.#at = begin;
      this.#fail("the string that begins here does not end");
    } else if (char === "\\") {
      this.#fail(`"${this.text.slice(this.#at, this.#at + 2)}" is no escape`);
    } else this.#fail("a control character in a string must be escaped");
  }

  #space(): void {
    this.#take(/[ \t\r\n]*/y);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.#at += found.length;
    return found;
  }

  #unexpected(expected: string): never {
    const rest = this.text.slice(this.#at);
    const word = /^(?:[\w.+-]+|.)/su.exec(rest)?.[0] ?? "";
    const what = word === ""
      ? "the text ends here"
      : `this is ${JSON.stringify(word.slice(0, 20))}`;
    this.#fail(`${expected} is expected, and ${what}`);
  }

  #fail(what: string): never {
    throw new Found({ at: this.#at, what });
  }
}

/** Carries a fault out of the scanner. */
class Found extends Error {
  constructor(readonly fault: Fault) {
    super(fault.what);
  }
}

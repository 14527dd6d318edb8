// The programs: what each hosts, where, and what it takes to build and to run it.

/** A program is called by the language that it is written in. */
export type Language = "python" | "go" | "node" | "deno";

export interface Program {
  readonly language: Language;
  /** The services it hosts, as workflows call them. */
  readonly services: readonly string[];
  /** Where it listens when nobody says otherwise. */
  readonly ports: readonly number[];
  /** What must be installed: a command that prints its version, and the least one that will do. */
  readonly tools: readonly Tool[];
  /** Changes in these files, relative to `directory`, call for another build. */
  readonly sources: RegExp;
  readonly directory: URL;
  /** Run one after the other in `directory`. */
  readonly build: readonly (readonly string[])[];
  readonly command: readonly string[];
}

export interface Tool {
  readonly command: readonly string[];
  readonly atLeast: readonly [major: number, minor: number];
}

/** Where everything that is built goes. Nothing in it is worth keeping. */
export const buildDirectory = new URL(".build/", import.meta.url);

const inBuild = (path: string) => new URL(path, buildDirectory).pathname;
const at = (path: string) => new URL(path, import.meta.url);

export const programs: Readonly<Record<Language, Program>> = {
  python: {
    language: "python",
    services: ["accounts", "inventory"],
    ports: [50061],
    tools: [{ command: ["python3", "--version"], atLeast: [3, 10] }],
    sources: /^requirements\.txt$/,
    directory: at("python/"),
    build: [
      ["python3", "-m", "venv", "--clear", inBuild("python")],
      [inBuild("python/bin/python"), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"],
    ],
    command: [inBuild("python/bin/python"), at("python/main.py").pathname],
  },
  go: {
    language: "go",
    services: ["payments"],
    ports: [50062],
    tools: [{ command: ["go", "version"], atLeast: [1, 26] }],
    sources: /\.go$|^go\.(mod|sum)$/,
    directory: at("go/"),
    build: [["go", "build", "-o", inBuild("go/services"), "."]],
    command: [inBuild("go/services")],
  },
  node: {
    language: "node",
    services: ["shipping", "rewards", "mail"],
    ports: [50063],
    tools: [
      { command: ["node", "--version"], atLeast: [20, 0] },
      { command: ["npm", "--version"], atLeast: [9, 0] },
    ],
    sources: /^package-lock\.json$/,
    directory: at("node/"),
    build: [["npm", "ci", "--silent"]],
    command: ["node", at("node/main.mjs").pathname],
  },
  deno: {
    language: "deno",
    services: ["accounts", "inventory", "payments", "shipping", "rewards", "mail"],
    // Where the other three would listen: workflows need not know which of them runs.
    ports: [50061, 50062, 50063],
    tools: [],
    sources: /^$/,
    directory: at("deno/"),
    build: [],
    command: [Deno.execPath(), "run", "-A", "--quiet", at("deno/main.ts").pathname],
  },
};

/** One program for each language that is not Maestro's own. */
export const polyglot: readonly Language[] = ["python", "go", "node"];

import { MaestroError, type Problem } from "../errors.ts";
import type { Workflow } from "../workflow/model.ts";
import { didYouMean } from "../workflow/nearest.ts";
import type { ParsedWorkflow } from "../workflow/parse.ts";
import type { ScheduleView, WorkflowDetail, WorkflowSummary } from "./operations.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";
import { stepTree } from "./step_tree.ts";

/** How often it is looked whether a file has changed, in milliseconds. */
const LOOK_EVERY = 1_000;

/** How many files a message names. */
const MOST_NAMED = 3;

/** How far the time of a file may be behind the clock, in milliseconds. */
const TICK = 10;

/** What a folder of workflows is watched with. */
export interface WorkflowFolderOptions {
  /** Relative to the working directory, or absolute. */
  readonly folder: string;
  /** Reads a workflow's file, with all that it includes, and finds its problems. */
  readonly check: (path: string) => Promise<ParsedWorkflow>;
  /** Hears of every file that was read: the first time, and when it has changed. */
  readonly onRead?: (read: WorkflowFile) => void;
  /** Hears that there are other workflows than before. */
  readonly onChange?: () => void;
  /** When a workflow starts by itself. @default none does */
  readonly scheduleOf?: (workflow: Workflow) => ScheduleView | null;
}

/** A workflow's file as it was read last. */
export interface WorkflowFile {
  /** Relative to the folder. */
  readonly file: string;
  /** What it said when it was right the last time; `null`: it never was. */
  readonly workflow: Workflow | null;
  /** Its text then. */
  readonly text: string;
  /** When that was read, in milliseconds since the epoch. */
  readonly loadedAt: number | null;
  /** What is wrong by now. */
  readonly problems: readonly Problem[];
}

/** What became of a file when it was read last. */
interface Read {
  /** `null`: it is none of a workflow. */
  readonly file: WorkflowFile | null;
  /** The files that it was read from, and how they stood. */
  readonly sources: ReadonlyMap<string, string>;
  /** Some file could not be read, or says otherwise; that may be over later, though nothing tells of it. */
  readonly isPartial: boolean;
}

/** The workflows of a folder and of the folders in it, by name and version. They change as the files do. */
export class WorkflowFolder {
  readonly #options: WorkflowFolderOptions;
  /** Every YAML file there is, by its path. */
  #reads: ReadonlyMap<string, Read> = new Map();
  /** Those of workflows, of which each has a name and version of its own. */
  #files: ReadonlyMap<string, WorkflowFile> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  private constructor(options: WorkflowFolderOptions) {
    this.#options = options;
  }

  /**
   * Reads a folder, and goes on watching it until it is closed.
   *
   * @throws {MaestroError} `USAGE` where it can't be read
   */
  static async open(options: WorkflowFolderOptions): Promise<WorkflowFolder> {
    const opened = new WorkflowFolder(options);
    await opened.look();
    opened.#lookAgain();
    return opened;
  }

  /** Ends the watch. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Every workflow, by name and version, those that can't be started included. */
  list(): readonly WorkflowSummary[] {
    return [...this.#files.values()]
      .map((file) => this.#summaryOf(file))
      .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : compare(b.version, a.version));
  }

  /** The workflows that can be started. */
  startable(): readonly Workflow[] {
    return [...this.#files.values()].flatMap(({ workflow }) => workflow ?? []);
  }

  /** Of each name, the one that is started where no version is named. */
  newest(): readonly Workflow[] {
    const names = new Set(this.startable().map(({ name }) => name));
    return [...names].map((name) => this.find(name));
  }

  /** One of them. @param version default: the newest @throws {MaestroError} `WORKFLOW_NOT_FOUND`, `WORKFLOW_INVALID` */
  find(name: string, version?: string): Workflow {
    const { file, workflow, problems } = this.#fileOf(name, version);
    if (workflow !== null) return workflow;
    throw new MaestroError("WORKFLOW_INVALID", `The file "${file}" has mistakes`, { problems });
  }

  /** One of them, with what it says. @throws {MaestroError} `WORKFLOW_NOT_FOUND` */
  detail(name: string, version?: string): WorkflowDetail {
    const file = this.#fileOf(name, version);
    return {
      ...this.#summaryOf(file),
      text: file.text,
      input_schema: file.workflow?.input ?? null,
      steps: file.workflow === null ? [] : stepTree(file.workflow),
    };
  }

  /** Reads what has changed. @throws {MaestroError} `USAGE` where the folder can't be read */
  async look(): Promise<void> {
    const reads = new Map<string, Read>();
    const files = new Map<string, WorkflowFile>();
    for (const path of await this.#paths()) {
      const before = this.#reads.get(path);
      const read = before !== undefined && isUnchanged(before)
        ? before
        : await this.#read(path, before);
      reads.set(path, read);
      if (read.file !== null) files.set(path, read.file);
    }
    this.#reads = reads;
    const named = withoutTwins(files, this.#files);
    for (const [path, file] of named) {
      if (file !== this.#files.get(path)) this.#options.onRead?.(file);
    }
    const isOther = named.size !== this.#files.size ||
      [...named].some(([path, file]) => file !== this.#files.get(path));
    this.#files = named;
    if (isOther) this.#options.onChange?.();
  }

  #lookAgain(): void {
    this.#timer = setTimeout(async () => {
      await this.look().catch(() => {}); // a folder that is away for a moment takes nothing with it
      if (!this.#isClosed) this.#lookAgain();
    }, LOOK_EVERY);
  }

  async #paths(): Promise<readonly string[]> {
    const { folder } = this.#options;
    const paths: string[] = [];
    const walk = async (at: string) => {
      for await (const { name, isDirectory } of Deno.readDir(at)) {
        if (name.startsWith(".") || name === "node_modules") continue;
        const path = `${at}/${name}`;
        if (isDirectory) await walk(path);
        else if (/\.ya?ml$/.test(name)) paths.push(path);
      }
    };
    try {
      await walk(folder.replace(/(?<=.)\/+$/, ""));
    } catch (thrown) {
      const why = thrown instanceof Deno.errors.NotFound
        ? "there is no such folder"
        : whyUnreadable(thrown);
      throw new MaestroError("USAGE", `Cannot read the folder of workflows "${folder}": ${why}`);
    }
    return paths.sort();
  }

  async #read(path: string, last: Read | undefined): Promise<Read> {
    const begun = Date.now();
    const { workflow: parsed, problems: found, texts } = await this.#options.check(path);
    const problems = found.map((problem) => ({
      ...problem,
      file: problem.file === null ? null : this.#inFolder(problem.file),
    }));
    const text = texts.get(path) ?? "";
    const sources = new Map(
      [path, ...texts.keys()].map((source) => [source, stampOf(source, begun)]),
    );
    // What is written well can still be at odds with a schema, say, that is in none of its texts.
    const isAtOdds = parsed !== null && found.some(({ severity }) => severity === "error");
    const isPartial = isAtOdds || found.some(({ code }) => code === "unreadable_file");
    const workflow = isAtOdds ? null : parsed;
    const file = this.#fileOfRead(path, text, workflow, problems, last?.file ?? null);
    return { file, sources, isPartial };
  }

  /** @param workflow `null`: it has mistakes @returns `null` where it is none of a workflow */
  #fileOfRead(
    path: string,
    text: string,
    workflow: Workflow | null,
    problems: readonly Problem[],
    before: WorkflowFile | null,
  ): WorkflowFile | null {
    const file = this.#inFolder(path);
    if (workflow !== null) return { file, workflow, text, loadedAt: Date.now(), problems };
    const wasRight = before !== null && before.workflow !== null;
    if (!wasRight && !/^steps\s*:/m.test(text)) return null;
    const broken = wasRight
      ? { ...before, file, problems }
      : { ...NEVER_RIGHT, file, text, problems };
    return before !== null && isSame(broken, before) ? before : broken;
  }

  /** A path as people know it, who don't know where the folder is. */
  #inFolder(path: string): string {
    const folder = `${this.#options.folder.replace(/\/+$/, "")}/`;
    return path.startsWith(folder) ? path.slice(folder.length) : path;
  }

  #fileOf(name: string, version: string | undefined): WorkflowFile {
    const [newest] = [...this.#files.values()]
      .filter((file) => {
        const its = nameOf(file);
        return its.name === name && (version === undefined || its.version === version);
      })
      .sort((a, b) =>
        Number(b.workflow !== null) - Number(a.workflow !== null) ||
        compare(nameOf(b).version, nameOf(a).version)
      );
    if (newest !== undefined) return newest;
    throw new MaestroError("WORKFLOW_NOT_FOUND", this.#notFound(name, version));
  }

  #notFound(name: string, version: string | undefined): string {
    const all = [...this.#files.values()].map(nameOf);
    const versions = all.filter((its) => its.name === name).map((its) => its.version);
    const what = `There is no workflow ${JSON.stringify(name)}`;
    if (versions.length > 0) {
      const others = versions.map((its) => its ?? "one without a version").join(", ");
      return `${what} of version ${JSON.stringify(version)}; there is ${others}`;
    }
    const guess = didYouMean(name, all.map((its) => its.name));
    if (guess !== "") return what + guess;
    const unread = [...this.#files.values()].filter(({ workflow }) => workflow === null);
    return unread.length === 0
      ? what
      : `${what}; it may be in a file that has mistakes: ${listOf(unread.map(({ file }) => file))}`;
  }

  #summaryOf(of: WorkflowFile): WorkflowSummary {
    const { file, workflow, problems, loadedAt } = of;
    return {
      ...nameOf(of),
      description: workflow?.description ?? null,
      file,
      startable: workflow !== null,
      problems,
      loaded_at: loadedAt === null ? null : new Date(loadedAt).toISOString(),
      schedule: workflow === null ? null : this.#options.scheduleOf?.(workflow) ?? null,
    };
  }
}

/** The first few. */
function listOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const NEVER_RIGHT = { workflow: null, loadedAt: null } as const;

function nameOf({ file, workflow }: WorkflowFile): { name: string; version: string | null } {
  return workflow === null
    ? { name: file, version: null }
    : { name: workflow.name, version: workflow.version };
}

/**
 * Of two files with the same name and version, the first one counts.
 *
 * @param before what came of it the last time: what is the same as then, stays
 */
function withoutTwins(
  files: ReadonlyMap<string, WorkflowFile>,
  before: ReadonlyMap<string, WorkflowFile>,
): ReadonlyMap<string, WorkflowFile> {
  const first = new Map<string, string>();
  return new Map([...files].map(([path, file]) => {
    const { workflow } = file;
    if (workflow === null) return [path, file];
    const key = JSON.stringify([workflow.name, workflow.version]);
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, file.file);
      return [path, file];
    }
    const twin = {
      ...file,
      ...NEVER_RIGHT,
      problems: [...file.problems, twice(workflow, file, other)],
    };
    const last = before.get(path);
    return [path, last !== undefined && isSame(twin, last) ? last : twin];
  }));
}

function twice({ name, version, place }: Workflow, { file }: WorkflowFile, other: string): Problem {
  const message = `"${name}"${
    version === null ? "" : ` ${version}`
  } is in "${other}" already: give this one another name or version`;
  const { line, column } = place;
  return { severity: "error", code: "workflow_twice", message, file, line, column };
}

/** Whether nobody has to hear of the second one who has heard of the first. */
function isSame(one: WorkflowFile, other: WorkflowFile): boolean {
  return one.workflow === other.workflow && one.text === other.text &&
    one.loadedAt === other.loadedAt &&
    JSON.stringify(one.problems) === JSON.stringify(other.problems);
}

function isUnchanged({ sources, isPartial }: Read): boolean {
  return !isPartial && [...sources].every(([path, stamp]) => stampOf(path) === stamp);
}

/**
 * How a file stands, as far as can be told without reading it.
 *
 * @param readSince when reading it began: what was written since may have been read by half, and is
 * like nothing that is seen later
 */
function stampOf(path: string, readSince = Infinity): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    const written = mtime?.getTime() ?? 0;
    if (written >= readSince - TICK && written <= Date.now()) return "being written";
    return `${written}:${size}:${ino}`;
  } catch {
    return "missing";
  }
}

/** `1.10` comes after `1.9`; none at all comes before all. */
function compare(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a.localeCompare(b, "en", { numeric: true });
}

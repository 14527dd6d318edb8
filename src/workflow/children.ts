/**
 * Child workflows: each file is read and parsed once, and none may start itself.
 *
 * @module
 */
import { normalize } from "node:path";
import type { Problem } from "../errors.ts";
import type { FindChild } from "./build_steps.ts";
import { eachStep } from "./calls.ts";
import { sagaRule } from "./defaults.ts";
import type { Files } from "./files.ts";
import type { Workflow } from "./model.ts";
import { besideFile } from "./paths.ts";
import { problemAt } from "./problems.ts";
import type { Places } from "./source.ts";

/** Workflows that start one another, the first included. */
const MAX_DEPTH = 10;

/** A definition holds its children whole, so this bounds what a journal keeps of it. */
const MAX_STEPS = 20_000;

/** Stands for a child that is not to be had, so that what its step says is checked all the same. */
const MISSING: Workflow = {
  name: "missing",
  version: null,
  description: null,
  timeout: null,
  input: null,
  output: null,
  services: {},
  saga: sagaRule(),
  schedule: null,
  steps: [],
  env: [],
  secrets: [],
  place: { file: "", line: 1, column: 1 },
};

/** Parses a child's text; its problems are told wherever they are kept. */
export type ParseChild = (
  source: { readonly file: string; readonly text: string },
  open: readonly string[],
) => Workflow | null;

/** The children of a workflow and of those below it. */
export class Children {
  /** By file; of one that has errors they are told. */
  readonly #parsed = new Map<string, Workflow>();
  readonly #sizes = new WeakMap<Workflow, number>();

  constructor(readonly files: Files, readonly parse: ParseChild) {}

  /**
   * Finds the children of one file.
   *
   * @param open the files whose workflows are being parsed, this one last
   */
  finder(places: Places, open: readonly string[], problems: Problem[]): FindChild {
    let size = 0;
    return (said, at) => {
      const refuse = (code: string, message: string) => {
        problems.push(problemAt(places.value(at), code, message));
        return MISSING;
      };
      if (said.includes("{{")) {
        const why = "it is read when the workflow is loaded; write its path out, or use a switch";
        return refuse("unreadable_file", `Cannot start "${said}": ${why}`);
      }
      const file = besideFile(places.whole.source.file, said);
      const round = open.findIndex((other) => normalize(other) === normalize(file));
      if (round !== -1) {
        const chain = [...open.slice(round), file].join(" → ");
        return refuse(
          "workflow_circle",
          `A workflow can't start itself, it would not end: ${chain}`,
        );
      }
      if (open.length >= MAX_DEPTH) {
        const chain = [...open, file].join(" → ");
        const message = `Cannot start workflows more than ${MAX_DEPTH} deep: ${chain}`;
        return refuse("too_deep", message);
      }
      const child = this.#child(file, open, refuse);
      if (size > MAX_STEPS) return MISSING; // once is enough
      size += this.#sizeOf(child);
      if (size <= MAX_STEPS) return child;
      const message = `With its child workflows this one has more than ${
        MAX_STEPS.toLocaleString("en")
      } steps`;
      return refuse("too_many_steps", message);
    };
  }

  #child(
    file: string,
    open: readonly string[],
    refuse: (code: string, message: string) => Workflow,
  ): Workflow {
    const known = this.#parsed.get(file);
    if (known !== undefined) return known;
    const text = this.files.read(file);
    if (typeof text !== "string") return refuse(text.code, text.refusal);
    const workflow = this.parse({ file, text }, [...open, file]) ?? MISSING;
    this.#parsed.set(file, workflow);
    return workflow;
  }

  #sizeOf(workflow: Workflow): number {
    let size = this.#sizes.get(workflow);
    if (size === undefined) {
      size = 0;
      for (const step of eachStep(workflow.steps)) {
        size += step.kind === "workflow" ? 1 + this.#sizeOf(step.workflow) : 1;
      }
      this.#sizes.set(workflow, size);
    }
    return size;
  }
}

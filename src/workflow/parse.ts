/**
 * Text to {@linkcode Workflow}, or every problem with its place.
 *
 * @module
 */
import type { z } from "zod";
import type { Problem } from "../errors.ts";
import { type Callee, StepBuilder } from "./build_steps.ts";
import { eachStep } from "./calls.ts";
import { checkExpressions } from "./check_expressions.ts";
import { checkInputSchema } from "./check_input_schema.ts";
import { checkPivots } from "./check_pivots.ts";
import { checkServices } from "./check_services.ts";
import { checkSteps } from "./check_steps.ts";
import { Children } from "./children.ts";
import { Declarations } from "./declared.ts";
import { sagaRule, scheduleOf } from "./defaults.ts";
import { Files, type ReadText } from "./files.ts";
import { flawedSteps } from "./flawed.ts";
import { forgivenNames } from "./forgiven.ts";
import { describeIssues } from "./issues.ts";
import { lintWorkflow } from "./lint.ts";
import type { Service, Workflow } from "./model.ts";
import { problemAt, sortProblems } from "./problems.ts";
import { checkAndRepair } from "./repair.ts";
import { workflowSchema, type WrittenWorkflow } from "./schema.ts";
import { visibility } from "./scope.ts";
import { type Declared, makeService, overlay } from "./settings.ts";
import type { Places } from "./source.ts";
import { STAND_IN } from "./step_forms.ts";
import { StepPlaces } from "./step_places.ts";
import { namesUnder } from "./templates.ts";
import { readYaml } from "./yaml.ts";

/** A workflow's file. */
export interface WorkflowSource {
  /** As the user named it. */
  readonly file: string;
  /** All of it. */
  readonly text: string;
}

/** What became of a file. */
export interface ParsedWorkflow {
  /** Frozen; `null` where there is an error among the problems. */
  readonly workflow: Workflow | null;
  /** Errors and warnings, in file order; those of included files and child workflows come after. */
  readonly problems: readonly Problem[];
  /** The text of every file read, by name: what {@linkcode formatProblem} shows. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Parses a workflow with its child workflows, and checks everything that can be known without their
 * services. Never throws on account of the text.
 *
 * @param read gives the text of another file; throws where it can't. The path is relative to
 * what `source.file` is relative to. Left out, there are no other files.
 */
export function parseWorkflow(
  source: WorkflowSource,
  read: ReadText = refuseToRead,
): ParsedWorkflow {
  const files = new Files(read);
  files.texts.set(source.file, source.text);
  const found: Problem[] = [];
  const children: Children = new Children(files, (child, open) => {
    const parsed = parseOne(child, { files, children, open });
    found.push(...parsed.problems);
    return parsed.workflow;
  });
  const { workflow, problems } = parseOne(source, { files, children, open: [source.file] });
  const all = told([...problems, ...found]);
  return {
    workflow: hasError(all) ? null : freeze(workflow),
    problems: sortProblems(all, [...files.texts.keys()]),
    texts: files.texts,
  };
}

/** What one file's parsing goes by. */
interface Load {
  readonly files: Files;
  readonly children: Children;
  /** The files of the workflows that are being parsed, this one last. */
  readonly open: readonly string[];
}

/** `null` where one of its own problems is an error. */
type ParsedOne = Omit<ParsedWorkflow, "texts">;

function parseOne({ file, text }: WorkflowSource, load: Load): ParsedOne {
  const { data, places, problems: syntax } = readYaml(file, text);
  if (data === undefined) return { workflow: null, problems: syntax };
  const { written, issues } = checkAndRepair(workflowSchema, data, {
    name: "workflow",
    steps: [STAND_IN],
  });
  const problems = [...describeIssues(issues, places)];
  let workflow: Workflow | null = null;
  if (written !== null) {
    const built = build(written, issues, places, load);
    problems.push(...built.problems);
    workflow = built.workflow;
  }
  const all = told([
    ...syntax,
    ...(syntax.some(isSyntax) ? problems.filter(isCertain) : problems),
  ]);
  return { workflow: hasError(all) ? null : workflow, problems: all };
}

function hasError(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}

/** What a mistake keeps from being read may be read once it is mended. */
function told(problems: readonly Problem[]): readonly Problem[] {
  return hasError(problems) ? problems.filter(({ code }) => !code.startsWith("unused_")) : problems;
}

function isSyntax({ code }: Problem): boolean {
  return code === "yaml_syntax";
}

/** What seems to be missing may only be hidden by a mistake of syntax. */
function isCertain({ code, severity }: Problem): boolean {
  return severity === "error" && !/^(missing_key|empty_|no_form|wrong_type|unknown_)/.test(code);
}

/** Reads a workflow's file and parses it; a file that can't be read is a problem too. */
export function loadWorkflow(file: string, read: ReadText): ParsedWorkflow {
  try {
    return parseWorkflow({ file, text: read(file) }, read);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const problem: Problem = {
      ...problemAt({ file, line: 1, column: 1 }, "unreadable_file", `Cannot read the file: ${why}`),
      line: null,
      column: null,
    };
    return { workflow: null, problems: [problem], texts: new Map() };
  }
}

function refuseToRead(): never {
  throw new Error("There are no other files here");
}

interface Built {
  readonly workflow: Workflow;
  readonly problems: readonly Problem[];
}

function build(
  written: WrittenWorkflow,
  issues: readonly z.core.$ZodIssue[],
  places: Places,
  { files, children, open }: Load,
): Built {
  const declarations = new Declarations(files);
  const declared = declarations.gather(written, places, [places.whole.source.file]);
  const problems = declarations.problems;
  const callees = makeCallees(declared, declarations.names, problems);
  const builder = new StepBuilder(places, callees, children.finder(places, open, problems));
  const steps = builder.list(written.steps, ["steps"], (at, id) => id ?? `steps[${at}]`);
  if (written.output !== undefined) {
    const use = { template: written.output, role: "value", scope: "", places } as const;
    builder.uses.push({ ...use, at: ["output"] });
  }
  const services = usedServices(callees, builder.used, places);
  const partial: Workflow = {
    name: written.name,
    version: written.version ?? null,
    description: written.description ?? null,
    timeout: written.timeout ?? null,
    input: written.input ?? null,
    output: written.output ?? null,
    services,
    saga: sagaRule(written.saga),
    schedule: scheduleOf(written.schedule, places.key(["schedule", "input"])),
    steps,
    env: [],
    secrets: [],
    place: places.value([]),
  };
  const workflow = {
    ...partial,
    env: namesUnder("env", partial),
    secrets: namesUnder("secrets", partial),
  };
  const where = new StepPlaces(places, builder.at);
  const forgiven = forgivenNames(places.root, [...eachStep(steps)]);
  const seen = visibility(workflow);
  const flawed = flawedSteps(issues, builder.at);
  const context = { workflow, where, forgiven, flawed, seen };
  problems.push(
    ...builder.problems,
    ...checkSteps(context),
    ...checkExpressions([...declarations.uses, ...builder.uses], context),
    ...checkServices(workflow, where),
    ...checkInputSchema(workflow.input, places),
    ...checkPivots(context),
    ...lintWorkflow(workflow, { ...context, used: builder.used, uses: builder.uses }),
  );
  return { workflow, problems };
}

function makeCallees(declared: Declared, names: ReadonlySet<string>, problems: Problem[]) {
  const callees = new Map<string, Callee>();
  for (const name of names) callees.set(name, { service: null, retry: undefined });
  for (const [name, settings] of declared.services) {
    const whole = overlay(settings, declared.defaults);
    const service = makeService(name, whole, problems);
    callees.set(name, { service, retry: whole.written.retry });
  }
  return callees;
}

/** This file's services, and of those that others declare the ones that are called. */
function usedServices(
  callees: ReadonlyMap<string, Callee>,
  used: ReadonlySet<string>,
  places: Places,
): Readonly<Record<string, Service>> {
  const services: Record<string, Service> = {};
  for (const [name, { service }] of callees) {
    if (service === null) continue;
    if (used.has(name) || places.get(["services", name]) !== undefined) services[name] = service;
  }
  return services;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

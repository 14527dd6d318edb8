/**
 * What the options of `runs resolve` mean, once commander has split them.
 *
 * @module
 */
import type { Resolution } from "../engine/resolution.ts";
import { MaestroError } from "../errors.ts";
import type { ActFlags } from "./act.ts";
import { readJsonOption } from "./json_option.ts";
import { userName } from "./user_name.ts";

/** The options of `runs resolve`, as given. */
export interface ResolveFlags extends Omit<ActFlags, "output"> {
  readonly step?: string | undefined;
  readonly retry?: true | undefined;
  readonly skip?: true | undefined;
  readonly abort?: true | undefined;
  readonly input?: string | undefined;
  /** The form of what is printed, and with `--skip` the step's output. */
  readonly output?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
  readonly all?: true | undefined;
  readonly status?: string | undefined;
  readonly workflow?: string | undefined;
}

/** What an operator decides, whatever step it is about. */
export type Decision = Omit<Resolution, "step" | "op">;

const ACTIONS = ["retry", "skip", "abort"] as const;

/** How what is printed may be asked for; anything else is a step's output. */
const FORMS = ["pretty", "json"] as const;

/**
 * What an operator decides.
 *
 * @throws {MaestroError} `USAGE`; `INPUT_INVALID` where what should be JSON is none
 */
export async function readDecision(flags: ResolveFlags): Promise<Decision> {
  const given = ACTIONS.filter((action) => flags[action]);
  const [action] = given;
  if (action === undefined) {
    throw usage("Cannot go on without knowing how: give one of --retry, --skip and --abort");
  }
  if (given.length > 1) {
    throw usage(`Cannot use ${given.map((one) => `--${one}`).join(" and ")} together: give one`);
  }
  const { reason = "", input } = flags;
  if (reason.trim() === "") {
    throw usage(
      'Cannot go on without --reason: say why, for the record, as in --reason "paid by hand"',
    );
  }
  if (input !== undefined && action !== "retry") {
    throw usage(`Cannot use --input with --${action}: it is another request, for --retry`);
  }
  const [output, ...more] = outputsOf(flags);
  if (output !== undefined && action !== "skip") {
    throw usage(
      `Cannot use --output "${output}": use pretty or json; a step's output goes with --skip`,
    );
  }
  if (more.length > 0) throw usage("Cannot use so many outputs: a step has one");
  if (flags.by?.trim() === "") {
    throw usage(`Cannot use --by "${flags.by}": say who decides, or leave it out`);
  }
  const by = flags.by ?? userName();
  return {
    action,
    reason,
    ...(by !== null && { by }),
    ...(input !== undefined && { input: await readJsonOption(input, "--input") }),
    ...(output !== undefined && { output: await readJsonOption(output, "--output") }),
  };
}

/** How what is printed is asked for, the last word counting. */
export function formOf({ output = [] }: ResolveFlags): "pretty" | "json" {
  return output.findLast(isForm) ?? "pretty";
}

function outputsOf({ output = [] }: ResolveFlags): readonly string[] {
  return output.filter((text) => !isForm(text));
}

function isForm(text: string): text is typeof FORMS[number] {
  return FORMS.some((form) => form === text);
}

function usage(message: string): MaestroError {
  return new MaestroError("USAGE", message);
}

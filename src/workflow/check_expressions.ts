/**
 * Checks every expression: its syntax, and that what it names can be seen from where it stands.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import type { TemplateRole, TemplateUse } from "./build_steps.ts";
import type { CheckContext } from "./check_context.ts";
import { checkCondition, checkItems, checkTemplate, templateRefs } from "./expression.ts";
import { Explainer } from "./explain_name.ts";
import type { Template } from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt } from "./problems.ts";
import { isRecord } from "./schema_parts.ts";
import type { Path } from "./source.ts";
import { ROOTS } from "./words.ts";

const RUN_FIELDS = ["id", "workflow", "version", "correlation_id", "started_at"];
const STEP_FIELDS = ["status", "output", "error", "attempts"];
const ERROR_FIELDS = [
  "code",
  "message",
  "step",
  "attempts",
  "outcome",
  "reason",
  "domain",
  "metadata",
  "details",
];

/** So many names in a file get a guess at what was meant: each is compared with all there are. */
const MAX_GUESSES = 100;
const MAX_IN_TEXT = 100;

/** How texts are checked that have to be one expression. */
const CHECKS: Readonly<Partial<Record<TemplateRole, typeof checkCondition>>> = {
  condition: checkCondition,
  items: checkItems,
};

/** Checks every template of a workflow. */
export function checkExpressions(
  uses: readonly TemplateUse[],
  context: CheckContext,
): readonly Problem[] {
  const check = new ExpressionCheck(context);
  for (const use of uses) {
    for (const { text, at } of texts(use.template, use.at)) check.text(text, at, use);
  }
  return check.problems;
}

interface Ref {
  readonly root: string;
  readonly path: readonly string[];
}

class ExpressionCheck {
  readonly problems: Problem[] = [];
  readonly #explainer: Explainer;
  #guesses = 0;

  constructor(readonly context: CheckContext) {
    this.#explainer = new Explainer(context);
  }

  text(text: string, at: Path, use: TemplateUse): void {
    const tell = (code: string, offset: number, message: string) =>
      this.problems.push(problemAt(use.places.text(at, offset), code, message));
    const names = this.context.seen.get(use.scope ?? "")?.names;
    const check = CHECKS[use.role] ?? checkTemplate;
    const wrong = check(text, names);
    for (const { code, message, offset } of wrong) tell(code, offset, message);
    if (wrong.length > 0) return;
    const told = new Set<string>(); // a name that is used twice in a text is told of once
    for (const ref of templateRefs(text)) {
      const found = this.#refProblem(ref, use);
      if (found === null || told.has(found.message) || told.size >= MAX_IN_TEXT) continue;
      told.add(found.message);
      tell(found.code, ref.offset, found.message);
    }
  }

  #refProblem(ref: Ref, use: TemplateUse): Told | null {
    const outside = outsideOf(use, ref);
    if (outside !== null) return outside;
    const [field] = ref.path;
    switch (ref.root) {
      case "env":
      case "secrets":
        return field === undefined
          ? told("needs_a_name", `.${ref.root} needs a name: .${ref.root}.NAME`)
          : null;
      case "run":
        return unknownField(".run", field, RUN_FIELDS);
      case "input":
        return null;
      case "error":
        return this.context.seen.get(use.scope ?? "")?.names.has("error")
          ? unknownField(".error", field, ERROR_FIELDS)
          : told("error_outside_catch", '.error is there only inside "catch"');
      case "steps":
        return this.#stepProblem(ref, use.scope ?? "");
      default:
        return this.#nameProblem(ref.root, use.scope ?? "");
    }
  }

  #stepProblem({ path }: Ref, scope: string): Told | null {
    const [id, field] = path;
    if (id === undefined) return told("needs_a_name", ".steps needs a step's id: .steps.<id>");
    if (!this.context.seen.get(scope)?.steps.has(id)) {
      if (this.context.forgiven.has(id)) return null;
      const why = this.#explainer.step(id, scope);
      if (why !== null) return told("unseen_name", `Cannot see .steps.${id} here: ${why}`);
      const hint = didYouMean(id, this.#explainer.ids());
      return told("unknown_step", `Unknown step ".steps.${id}"${hint}`);
    }
    return unknownField(`.steps.${id}`, field, STEP_FIELDS);
  }

  #nameProblem(name: string, scope: string): Told | null {
    const names = this.context.seen.get(scope)?.names;
    if (names?.has(name) || this.context.forgiven.has(name)) return null;
    const why = this.#explainer.name(name, scope);
    if (why !== null) return told("unseen_name", `Cannot see .${name} here: ${why}`);
    const { input } = this.context.workflow;
    const properties = isRecord(input) && isRecord(input["properties"]) ? input["properties"] : {};
    const hint = Object.hasOwn(properties, name)
      ? `; did you mean ".input.${name}"?`
      : this.#guesses++ < MAX_GUESSES
      ? didYouMean(`.${name}`, [...ROOTS, ...(names?.keys() ?? [])].map((root) => `.${root}`))
      : "";
    return told("unknown_name", `Unknown name ".${name}"${hint || list(names?.keys() ?? [])}`);
  }
}

interface Told {
  readonly code: string;
  readonly message: string;
}

function told(code: string, message: string): Told {
  return { code, message };
}

function unknownField(
  root: string,
  field: string | undefined,
  known: readonly string[],
): Told | null {
  if (field === undefined || known.includes(field)) return null;
  const hint = didYouMean(field, known) || `; it has ${known.join(", ")}`;
  return told("unknown_name", `${root} has no "${field}"${hint}`);
}

const NO_SECRETS: ReadonlySet<TemplateRole> = new Set(["value", "condition", "items"]);

/** What may not be named there at all. */
function outsideOf({ role }: TemplateUse, { root }: Ref): Told | null {
  if (root === "secrets" && NO_SECRETS.has(role)) {
    const message = ".secrets may be used only in metadata, endpoint and tls, " +
      "so that it never reaches the journal, a log or a page";
    return told("secret_misplaced", message);
  }
  if (role === "connection" && root !== "env" && root !== "secrets") {
    return told(
      "unseen_name",
      `An endpoint or tls setting sees only .env and .secrets, not .${root}`,
    );
  }
  if (role === "service_metadata" && !["input", "run", "env", "secrets"].includes(root)) {
    const message =
      `A service's metadata sees only .input, .run, .env and .secrets, not .${root}: ` +
      "write it in the step's metadata";
    return told("unseen_name", message);
  }
  return null;
}

function list(names: Iterable<string>): string {
  const shown = Iterator.from(names).take(8).map((name) => `.${name}`).toArray();
  return shown.length === 0
    ? ""
    : `; besides .input, .run, .env and .steps there is ${shown.join(", ")}`;
}

function* texts(
  template: Template,
  at: Path,
): Generator<{ readonly text: string; readonly at: Path }> {
  if (typeof template === "string") yield { text: template, at };
  else if (typeof template === "object" && template !== null) {
    for (const [key, item] of Object.entries(template)) yield* texts(item, [...at, key]);
  }
}

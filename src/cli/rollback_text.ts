/**
 * What happens when a step fails for good, for people: the text of `validate --explain`.
 *
 * @module
 */
import type { Ending } from "../workflow/endings.ts";
import type { Caught, FailingStep } from "../workflow/explain_rollback.ts";
import type { Json } from "../workflow/json.ts";
import type { Step, Workflow } from "../workflow/model.ts";
import type { Passed } from "../workflow/passed_pivots.ts";
import type { Certainty, Rounds, Standing, Undoing } from "../workflow/undoing.ts";
import { whatOf } from "./calls_text.ts";
import { findStep } from "./find_step.ts";
import type { Paint } from "./palette.ts";

/** One paragraph a step. */
export function rollbackText(
  workflow: Workflow,
  failing: readonly FailingStep[],
  paint: Paint,
): string {
  const title = [workflow.name, workflow.version].filter((part) => part !== null).join(" ");
  const paragraphs = failing.map((step) => paragraph(workflow, step, paint));
  const head = paint("strong", `${title}: what is undone when a step fails for good`);
  if (paragraphs.length === 0) return `${head}\n  Nothing in it can fail\n`;
  return `${[head, ...paragraphs].join("\n\n")}\n`;
}

function paragraph(workflow: Workflow, failing: FailingStep, paint: Paint): string {
  const step = findStep(workflow, failing.step)?.step;
  const what = step === undefined ? "" : `  ${whatOf(step)}, line ${failing.place.line}`;
  const lines = [
    ...verifyLines(failing, step),
    ...failing.caught.flatMap(caughtLines),
    ...endLines(failing),
  ];
  const head = `${paint("strong", failing.step)}${paint("faint", what)}`;
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}

function verifyLines({ verify }: FailingStep, step: Step | undefined): string[] {
  if (!verify || step?.kind !== "call" || step.verify === null) return [];
  const { service, method } = step.verify;
  const name = `${service}.${method.slice(method.lastIndexOf("/") + 1)}`;
  return [
    `if its outcome is unknown, ${name} is asked first: if it did happen, the run goes on;`,
    "if it did not, there is nothing of it to undo",
  ];
}

function caughtLines({ step, entry, undo, steps, endings, ...conditions }: Caught): string[] {
  const end = endingText(endings);
  const then = steps.length === 0 ? end : `then ${steps.join(", ")}; ${end}`;
  const head = `${conditionsOf(conditions)}caught by ${step}.catch[${entry}]`;
  if (undo === null) return [`${head}: ${then}`];
  if (undo.length === 0) return [`${head}: nothing has to be undone; ${then}`];
  return [`${head}, undone first:`, ...undoLines(undo), `  ${then}`];
}

function endingText(endings: readonly Ending[]): string {
  if (endings.every((ending) => ending === "fails")) return "that fails";
  const ways = [
    ...(endings.includes("goes_on") ? ["goes on"] : []),
    ...(endings.includes("returns") ? ["ends as completed"] : []),
  ];
  const unless = endings.includes("fails") ? ", unless that fails" : "";
  return `the run ${ways.join(" or ")}${unless}`;
}

function conditionsOf(
  { codes, reason, when }: Pick<Caught, "codes" | "reason" | "when">,
): string {
  const parts = [
    ...(codes.length === 0 ? [] : [`on ${codes.join(", ")}`]),
    ...(reason === null ? [] : [`with the reason ${reason}`]),
    ...(when === null ? [] : [`when ${when.trim().replace(/^\{\{\s*|\s*\}\}$/g, "")}`]),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

function endLines({ end, pivot, undo, stays, caught }: FailingStep): string[] {
  const otherwise = caught.length === 0 ? "" : "else ";
  switch (end) {
    case "goes_on":
      return [];
    case "waits":
      return [`${otherwise}${waitText(pivot)}`];
    case "rolls_back":
      return rollbackLines(otherwise, undo, stays);
    case "rolls_back_or_waits":
      return [
        `${otherwise}${waitText(pivot)}`,
        ...rollbackLines("else ", undo, stays),
      ];
  }
}

function waitText(pivot: Passed | null): string {
  const why = {
    always: `after the pivot ${pivot?.step} nothing is undone`,
    perhaps: `if the pivot ${pivot?.step} was passed, nothing is undone`,
    unknown: "if its outcome is unknown it counts as passed, being the pivot: nothing is undone",
  };
  return `${why[pivot?.when ?? "always"]}; it waits for an operator`;
}

function rollbackLines(
  otherwise: string,
  undo: readonly Undoing[],
  stays: readonly Standing[],
): string[] {
  return [
    ...(undo.length === 0
      ? [`${otherwise}nothing has to be undone`]
      : [`${otherwise}undone, in this order:`, ...undoLines(undo)]),
    ...(stays.length === 0 ? [] : [`stays done: ${stays.map(standing).join(", ")}`]),
  ];
}

function standing({ step, when }: Standing): string {
  return `${step}${IF[when]}`;
}

const IF: Readonly<Record<Certainty, string>> = {
  done: "",
  perhaps: " (if it was done)",
  unknown: " (if its outcome is unknown)",
};

function undoLines(undo: readonly Undoing[]): string[] {
  return undo.flatMap((each, index) => numbered(`${index + 1}.`, undoing(each)));
}

function numbered(number: string, [first = "", ...rest]: readonly string[]): string[] {
  const space = " ".repeat(number.length);
  return [`  ${number} ${first}`, ...rest.map((line) => `  ${space} ${line}`)];
}

function undoing(each: Undoing): string[] {
  switch (each.kind) {
    case "step": {
      const by = each.by.length === 0 ? "" : ` by ${each.by.join(", ")}`;
      const blind = each.reads === null ? [] : [
        `  ${whenUnknown(each.when)} it reads ${each.reads}, which is empty then: the run waits`,
      ];
      return [`${each.step}${by}${IF[each.when]}`, ...blind];
    }
    case "child": {
      const how = each.undo.length === 0 ? ", which has nothing to undo" : ", as its own run:";
      return [`${each.step}${IF[each.when]}${how}`, ...undoLines(each.undo)];
    }
    case "rounds": {
      const order = each.order === "last_round_first"
        ? "the last round first"
        : "whose steps ran side by side, what completed last first";
      return [`${each.step}: ${WHICH[each.rounds]}, ${order}:`, ...undoLines(each.undo)];
    }
    case "branches":
      return [
        `${each.step}: side by side, what completed last first:`,
        ...each.branches.flatMap((branch) => group(branch)),
      ];
    case "one_of":
      return [
        `${each.step}: ${each.of === "switch" ? "of the branch taken" : "of what its catch did"}:`,
        ...each.ways.flatMap((way) => group(way)),
      ];
  }
}

const WHICH: Readonly<Record<Rounds, string>> = {
  all: "every round that was begun",
  earlier: "the rounds before",
  others: "the other rounds",
};

function group(list: readonly Undoing[]): string[] {
  return numbered("–", list.flatMap(undoing));
}

function whenUnknown(when: Certainty): string {
  return when === "unknown" ? "but" : "if its outcome is unknown,";
}

/** The same for programs. */
export function rollbackJson(
  file: string,
  { name, version }: Workflow,
  failing: readonly FailingStep[],
): Json {
  return {
    file,
    workflow: name,
    version,
    steps: failing.map(({ step, place, ...what }) => ({
      step,
      file: place.file,
      line: place.line,
      column: place.column,
      ...what,
    })) as unknown as Json, // plain data without undefined
  };
}

/** What the schema found, in words and with places. @module */
import type { z } from "zod";
import type { Problem } from "../errors.ts";
import type { Place } from "./model.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { problemAt } from "./problems.ts";
import { type Finding, isOwnKey, isRecord } from "./schema_parts.ts";
import type { Path, Places } from "./source.ts";
import { describeHomes } from "./step_forms.ts";

/** The problems of a file's data; what the reader has told already is left out. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  places: Places,
): readonly Problem[] {
  // A key that is misspelt is not missing as well.
  const misspelt = new Set(
    issues.flatMap((issue) =>
      issue.code !== "unrecognized_keys"
        ? []
        : issue.keys.map((key) =>
          JSON.stringify([...issue.path, nearest(key, issue.message.split(" "))])
        )
    ),
  );
  return issues.filter(({ path }) => !misspelt.has(JSON.stringify(path)))
    .flatMap((issue) => describe(issue, places));
}

function describe(issue: z.core.$ZodIssue, places: Places): readonly Problem[] {
  const { path } = issue;
  if (typeof places.get(path) === "symbol") return [];
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(" "); // put there by `shape`
    return issue.keys.filter((key) => !isOwnKey(key)).map((key) =>
      problemAt(places.key([...path, key]), "unknown_key", unknownKey(key, known, path, places))
    );
  }
  const { code, message, place } = tell(issue, places);
  return [problemAt(place, code, message)];
}

function unknownKey(key: string, known: readonly string[], path: Path, places: Places): string {
  if (key === "budget" && path.at(-1) === "retry") return budgetIsElsewhere(path, places);
  const hint = didYouMean(key, known);
  const home = hint === "" && isRecord(places.get(path)) && known.includes("needs")
    ? describeHomes(key)
    : "";
  if (hint !== "" || home !== "") return `Unknown key "${key}"${hint || home}`;
  return `Unknown key "${key}"${known.length <= 12 ? `; there is ${known.join(", ")}` : ""}`;
}

/** A budget on what has none of its own: a step's `retry`, or the saga's. */
function budgetIsElsewhere(path: Path, places: Places): string {
  if (path[0] === "saga") return "Compensations have no budget: they are retried whatever it says";
  const service = places.get([...path.slice(0, -1), "service"]);
  const home = typeof service === "string" ? `services.${service}.retry` : 'its "retry"';
  return `The budget is the service's: write it under ${home}`;
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly place: Place;
}

function tell(issue: z.core.$ZodIssue, places: Places): Told {
  const { path } = issue;
  const finding = issue.code === "custom" ? issue.params?.["finding"] as Finding | undefined : null; // ours
  if (finding?.kind === "told") {
    const place = finding.at === "value" ? places.value(path) : places.key(path);
    return { code: finding.code, message: finding.message, place };
  }
  const label = labelOf(path);
  if (places.get(path) === undefined) {
    return { code: "missing_key", message: `${label} is missing`, place: places.key(path) };
  }
  const place = places.value(path);
  if (issue.code === "invalid_key") {
    const inner = issue.issues[0];
    const bad = inner?.code === "custom" ? inner.params?.["finding"] as Finding | undefined : null;
    const message = bad?.kind === "told"
      ? bad.message
      : `Cannot use ${label} as a name: ${bad?.kind === "value" ? wantName(bad) : "not a name"}`;
    return { code: bad?.kind === "told" ? bad.code : "bad_name", message, place: places.key(path) };
  }
  if (issue.code === "too_small") {
    return { code: "empty_list", message: `${label} is empty: it needs at least one item`, place };
  }
  const there = show(path, places);
  if (finding?.kind === "low") {
    const message =
      `Cannot use ${there} as ${label}: ${finding.why} must be at least ${finding.least}`;
    return { code: "wrong_value", message, place };
  }
  if (finding?.kind === "unquoted") {
    const message = `${label} must be ${finding.want}, not ${there}: put it in quotes, "${there}"`;
    return { code: "wrong_type", message, place };
  }
  const want = finding?.kind === "value"
    ? finding.want
    : issue.code === "invalid_type"
    ? EXPECTED[issue.expected] ?? issue.expected
    : "something else";
  const hint = finding?.kind === "value" ? finding.hint : hintKey(path, places);
  const code = finding?.kind === "value" ? "wrong_value" : "wrong_type";
  if (places.get(path) === null) {
    return { code: "empty_value", message: `${label} is empty: it must be ${want}`, place };
  }
  return { code, message: `${label} must be ${want}, not ${there}${hint}`, place };
}

/** The key that a number in place of its map was probably meant for. */
const MEANT: Readonly<Record<string, string>> = {
  retry: "attempts",
  budget: "max_tokens",
  pool: "max_concurrent",
};

function hintKey(path: Path, places: Places): string {
  const value = places.get(path);
  const key = MEANT[String(path.at(-1))];
  const means = key !== undefined && path[0] !== "saga" && Number.isInteger(value) &&
    Number(value) > 0;
  return means ? `: write { ${key}: ${String(value)} }` : "";
}

function wantName({ want, hint }: Extract<Finding, { kind: "value" }>): string {
  return want.replace(/^a name: /, "a name is made of ") + hint;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
};

/** `"codes[1]"`, `"retry"`, or `The file`. */
function labelOf(path: Path): string {
  const last = path.findLastIndex((key) => typeof key === "string");
  if (last === -1) return "The file";
  const indexes = path.slice(last + 1).map((at) => `[${String(at)}]`).join("");
  return `"${String(path[last])}${indexes}"`;
}

/** What is there, as the author wrote it where that is short. */
function show(path: Path, places: Places): string {
  const value = places.get(path);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  const { source, start, end } = places.valueSpot(path);
  const written = source.text.slice(start, end).trim();
  if (typeof value !== "string") {
    return written.length <= 40 && written !== "" ? written : String(value);
  }
  const line = value.length > 60 ? `${value.slice(0, 57)}…` : value;
  return value === "" ? "empty" : JSON.stringify(line);
}

/**
 * Services and defaults of a file and of those that it includes.
 *
 * @module
 */
import type { z } from "zod";
import type { Problem } from "../errors.ts";
import type { TemplateUse } from "./build_steps.ts";
import type { Files } from "./files.ts";
import { describeIssues } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import { besideFile } from "./paths.ts";
import { problemAt } from "./problems.ts";
import { checkAndRepair } from "./repair.ts";
import { includedSchema, type WrittenIncluded } from "./schema.ts";
import { isRecord } from "./schema_parts.ts";
import type { WrittenService } from "./schema_service.ts";
import { type Declared, overlayAll, type Settings, settingsAt } from "./settings.ts";
import type { Path, Places } from "./source.ts";
import { readYaml } from "./yaml.ts";

/** Gathers what files declare; one for each workflow. */
export class Declarations {
  readonly problems: Problem[] = [];
  readonly uses: TemplateUse[] = [];
  /** Services that are named somewhere, be they right or wrong. */
  readonly names = new Set<string>();

  constructor(readonly files: Files) {}

  /** What a file and its includes say; `open` are the files that include it. */
  gather(written: WrittenIncluded, places: Places, open: readonly string[]): Declared {
    const raw = places.get(["services"]);
    if (isRecord(raw)) { for (const name of Object.keys(raw)) this.names.add(name); }
    const services = new Map<string, Settings>();
    for (const [name, service] of Object.entries(written.services ?? {})) {
      services.set(name, this.#settings(service, ["services", name], places));
    }
    const defaults = written.defaults === undefined
      ? null
      : this.#settings(written.defaults, ["defaults"], places);
    let under: Declared = { services: new Map(), defaults: null };
    const isList = Array.isArray(places.get(["include"]));
    written.include?.forEach((path, at) => {
      const where = isList ? ["include", at] : ["include"];
      const included = this.#include(path, where, places, open);
      if (included !== null) under = overlayAll(included, under);
    });
    return overlayAll({ services, defaults }, under);
  }

  #settings(written: WrittenService, at: Path, places: Places): Settings {
    const use = (key: string, template: string, role: TemplateUse["role"]) =>
      this.uses.push({ template, role, scope: null, at: [...at, ...key.split("/")], places });
    for (const [name, value] of Object.entries(written.metadata ?? {})) {
      use(`metadata/${name}`, value, "service_metadata");
    }
    if (written.endpoint !== undefined) use("endpoint", written.endpoint, "connection");
    if (isRecord(written.tls)) {
      for (const [key, value] of Object.entries(written.tls)) {
        if (typeof value === "string") use(`tls/${key}`, value, "connection");
      }
    }
    return settingsAt(written, at, places);
  }

  #include(said: string, at: Path, places: Places, open: readonly string[]): Declared | null {
    const file = besideFile(places.whole.source.file, said);
    const refuse = (code: string, message: string) => {
      this.problems.push(problemAt(places.value(at), code, message));
      return null;
    };
    if (open.includes(file)) {
      const circle = [...open.slice(open.indexOf(file)), file].join(" → ");
      return refuse("include_circle", `The files include each other: ${circle}`);
    }
    const text = this.files.read(file);
    if (typeof text !== "string") return refuse(text.code, text.refusal);
    return this.#file(file, text, open);
  }

  #file(file: string, text: string, open: readonly string[]): Declared | null {
    const { data, places, problems } = readYaml(file, text);
    this.problems.push(...problems);
    if (data === undefined) return null;
    const { written, issues } = checkAndRepair(includedSchema, data);
    const known = issues.filter((issue) => !isForeign(issue));
    this.problems.push(
      ...describeIssues(known, places),
      ...issues.filter(isForeign).flatMap(
        (issue) =>
          issue.code === "unrecognized_keys" ? issue.keys.map((key) => foreign(key, places)) : [],
      ),
    );
    return written === null ? null : this.gather(written, places, [...open, file]);
  }
}

/** A workflow's other keys are known, but have no place here. */
function isForeign({ code, path }: z.core.$ZodIssue): boolean {
  return code === "unrecognized_keys" && path.length === 0;
}

function foreign(key: string, places: Places): Problem {
  const hint = didYouMean(key, ["services", "defaults", "include"]);
  const message = hint === ""
    ? `"${key}" has no place in an included file: only services, defaults and include are merged in`
    : `Unknown key "${key}"${hint}`;
  return problemAt(places.key([key]), "unknown_key", message);
}

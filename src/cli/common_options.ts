/**
 * Options that several commands have.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { LOG_FORMATS } from "../telemetry/format.ts";
import { LOG_LEVELS } from "../telemetry/levels.ts";
import { DEFAULT_STORE } from "./store_option.ts";

/** Where the run is kept. */
export function storeOption() {
  return new Option(
    "--store <store>",
    "where the run is kept: sqlite:PATH, made when missing, or memory, for as long as the program runs",
  ).default(DEFAULT_STORE);
}

/** Where the runs are kept that there are. */
export function existingStoreOption() {
  return new Option("--store <store>", "where the runs are kept: sqlite:PATH")
    .default(DEFAULT_STORE);
}

/** Where the runs are, instead of a store. */
export function serverOption() {
  return new Option(
    "--server <url>",
    "a server that has the runs, instead of a store: http://127.0.0.1:8080",
  ).conflicts(["store", "secret"]);
}

/** Who asks the server. */
export function tokenFileOption() {
  return new Option("--token-file <path>", "with --server: the file that holds your token");
}

/** A token over a plain connection. */
export function insecureOption() {
  return new Option(
    "--insecure",
    "with --token-file: send the token over http:// to another machine, too",
  );
}

/** A secret's file. */
export function secretOption() {
  return new Option(
    "--secret <NAME=@file>",
    "the file that holds a secret; otherwise it is the environment variable NAME (repeatable)",
  ).argParser(collect);
}

/** How long ended runs are kept. */
export function retentionOption() {
  return new Option(
    "--retention <duration>",
    "afterwards, drop the runs that ended longer ago than this: 30d",
  );
}

/** No progress. */
export function quietOption() {
  return new Option("--quiet", "no progress on standard error");
}

/** How a result is printed that is no run's. */
export function formOption(json: string) {
  return new Option("--output <form>", `pretty; json: ${json}`)
    .choices(["pretty", "json"] as const).default("pretty" as const);
}

/** How a run's result is printed. */
export function resultOption() {
  return new Option(
    "--output <form>",
    "pretty: the output; json: the whole run, also when it failed; events: one JSON object a line as things happen (default: pretty on a terminal, else json)",
  ).choices(["pretty", "json", "events"] as const);
}

/** From which level on is logged. */
export function logLevelOption() {
  return new Option(
    "--log-level <level>",
    "log to standard error, instead of progress; payloads only with trace (default: no logs, or info)",
  ).choices(LOG_LEVELS);
}

/** How is logged. */
export function logFormatOption() {
  return new Option("--log-format <format>", "(default: pretty on a terminal, else json)")
    .choices(LOG_FORMATS);
}

/** Where is logged. */
export function logFileOption() {
  return new Option("--log-file <path>", "log into this file, and keep showing progress");
}

/** Gathers what is given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** The examples at the end of a command's help. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

import type { CommanderError } from "@commander-js/extra-typings";
import { MaestroError } from "../errors.ts";

/** Help or a version was asked for and printed: no error. */
export function isAnswered(thrown: CommanderError): boolean {
  return ["commander.helpDisplayed", "commander.version"].includes(thrown.code) ||
    (thrown.code === "commander.help" && thrown.exitCode === 0);
}

/**
 * What commander found wrong, in this program's words.
 *
 * @param command the command that was typed, or `null`
 */
export function usageError(
  { code, message }: CommanderError,
  command: string | null,
): MaestroError {
  const said = message.replace(/^error: /, "");
  const [first = "", hint = ""] = said.split("\n");
  const guess = /Did you mean (?:one of )?(.+?)\?/.exec(hint)?.[1];
  const quoted = /'([^']*)'/.exec(first)?.[1] ?? "";
  const help = `see "maestro ${command === null ? "" : `${command} `}--help"`;
  const remedy = guess === undefined
    ? help
    : `did you mean ${guess.split(", ").map((name) => `"${name}"`).join(" or ")}?`;
  return new MaestroError("USAGE", `${sentence(code, first, quoted)}; ${remedy}`);
}

function sentence(code: string, said: string, quoted: string): string {
  const option = quoted.replace(/[ ,].*$/, "");
  switch (code) {
    case "commander.unknownOption":
      return `Cannot use "${quoted}": there is no such option`;
    case "commander.unknownCommand":
      return `Cannot use "${quoted}": there is no such command`;
    case "commander.optionMissingArgument":
      return `Cannot use "${option}" alone: it needs a value, as in "${quoted}"`;
    case "commander.missingArgument":
      return MISSING[quoted] ?? `Cannot go on without "${quoted}"`;
    case "commander.missingMandatoryOptionValue":
      return `Cannot go on without ${option}: it needs a value, as in "${quoted}"`;
    case "commander.excessArguments":
      return `Cannot use so many arguments: ${
        said.replace(/^too many arguments( for '[^']*')?\. /, "").toLowerCase().replace(/\.$/, "")
      }`;
    case "commander.conflictingOption": {
      const [one = "", other = ""] = [...said.matchAll(/'(\S+?)[ ,'].*?(?='|$)/g)].map(([, name]) =>
        name
      );
      const why = one === "--server" ? AT_A_SERVER[other] : undefined;
      return `Cannot use ${one} with ${other}${why === undefined ? "" : `: ${why}`}`;
    }
    case "commander.help":
      return "Cannot go on without a command";
    case "commander.invalidArgument": {
      const [, value = "", choices = ""] = /argument '(.*)' is invalid\. (.*?)\.?$/.exec(said) ??
        [];
      return `Cannot use ${option} "${value}": ${choices.charAt(0).toLowerCase()}${
        choices.slice(1)
      }`;
    }
    default:
      return said;
  }
}

/** Why an option means nothing at a server. */
const AT_A_SERVER: Readonly<Record<string, string>> = {
  "--store": "runs are in the one or at the other",
  "--secret": "the server has secrets of its own",
  "--endpoint": "the server calls the endpoints that its own files name",
  "--retention": 'to drop old runs there, use "maestro runs prune --server"',
  "--inspect": "what it shows is inside of the server",
  "--by": "the server takes down whose token it is",
};

/** What is said where an argument is missing, by its name. */
const MISSING: Readonly<Record<string, string>> = {
  file: "Cannot go on without a file: name the workflow's YAML file",
  id: "Cannot go on without a run: give its id",
  name: "Cannot go on without a name: give the signal's",
};

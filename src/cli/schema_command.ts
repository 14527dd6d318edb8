import { languageSchema } from "../workflow/schema.ts";
import { EXIT } from "./exit_code.ts";
import type { Io } from "./io.ts";

/** `maestro schema`: the JSON Schema of the language, for editors. @returns the exit code */
export function schemaCommand({ stdout }: Io): number {
  stdout.write(`${JSON.stringify(languageSchema(), null, 2)}\n`);
  return EXIT.completed;
}

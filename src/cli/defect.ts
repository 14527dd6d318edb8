import type { Paint } from "./palette.ts";
import { VERSION } from "./version.ts";

/** What is said about an error that nobody foresaw; its stack only where the log level asks for detail. */
export function defectText(thrown: unknown, args: readonly string[], paint: Paint): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const detailed = /--log-level[= ](debug|trace)/.test(args.join(" "));
  const stack = detailed && thrown instanceof Error ? `${thrown.stack ?? ""}\n` : "";
  const how = detailed ? "" : "; --log-level debug adds where it happened";
  return `${paint("bad", "error: ")}Something went wrong that should not: ${message}\n` +
    `  This is a defect of Maestro. Please report it with this message, the command and ` +
    `"maestro ${VERSION}, deno ${Deno.version.deno}, ${Deno.build.target}"${how}\n${stack}`;
}

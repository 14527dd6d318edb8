/** The examples of a page of the documentation. */
import { parse, withSteps } from "./parsing.ts";
import type { Problem } from "../../src/errors.ts";

/** A block of code of a page. */
export interface Block {
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `wrong`, or the name of a file that others include. */
  readonly note: string;
  readonly text: string;
}

/** The blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w+) ?(\S*)\n([^]*?)^```$/gm)].map(
    ({ index, 1: language = "", 2: note = "", 3: text = "" }) => ({
      line: page.slice(0, index).split("\n").length,
      language,
      note,
      text,
    }),
  );
}

/**
 * A whole workflow as it is; services, be they a file's or not, with a step; steps within a workflow
 * that has the services that they call.
 */
export function asWorkflow({ text: written }: Block): string {
  if (/^name:/m.test(written)) return written;
  const text = written.replace(/^steps:\n/, "");
  if (/^(services|defaults):/m.test(text)) return `name: test\n${text}steps: [{ set: { a: 1 } }]\n`;
  const called = new Set(["pay", ...[...text.matchAll(/service: (\w+)/g)].map(([, name]) => name)]);
  const services = [...called].map((name) => `${name}: { endpoint: "${name}:50051" }`);
  return withSteps(text).replace(`pay: { endpoint: "pay:1" }`, services.join("\n  "));
}

/**
 * What the parser says of an example; those of its page that have a file's name can be included, or
 * started as child workflows.
 */
export function problemsOf(block: Block, blocks: readonly Block[]): readonly Problem[] {
  const named = blocks.filter(isNamed);
  const files = Object.fromEntries(named.map(({ note, text }) => [note, text]));
  return parse(asWorkflow(block), files, isNamed(block) ? block.note : undefined).problems;
}

function isNamed({ note }: Block): boolean {
  return note.includes("/");
}

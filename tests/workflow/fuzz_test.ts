import { fail } from "node:assert/strict";
import { FIRST, FULL, FULL_FILES } from "../support/workflows.ts";
import { parse } from "../support/parsing.ts";

/** A small generator of the same numbers every time (mulberry32). */
function numbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const SCRAPS = [
  "{",
  "}",
  "[",
  "]",
  "{{",
  "}}",
  ":",
  ": ",
  "- ",
  "\n",
  "\t",
  "  ",
  "#",
  "&a ",
  "*a",
  "<<: ",
  "!!int ",
  "!x ",
  "'",
  '"',
  "|",
  ">",
  "?",
  ",",
  "null",
  "~",
  "3",
  "9007199254740993",
  "-1",
  ".inf",
  ".nan",
  "true",
  "yes",
  "x-y: 1\n",
  "__proto__",
  "constructor",
  "toString",
  "steps:",
  "id: ",
  "needs: [a]",
  "{{ .a }}",
  '"{{ .steps.x }}"',
  "when: 3",
  "---\n",
  "...",
  "%YAML 1.1\n",
  "\u0000",
  "\uFEFF",
  "é😀",
  "foreach: 1",
  "compensate: {steps: []}",
  "switch: [{}]",
  "input: {$ref: '#'}",
  "retry: 3",
  "@",
  "`",
];

function mutate(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const length = Math.floor(random() * 12);
  const scrap = SCRAPS[Math.floor(random() * SCRAPS.length)] ?? "";
  const lines = text.split("\n");
  const line = Math.floor(random() * lines.length);
  switch (Math.floor(random() * 6)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + scrap + text.slice(at);
    case 2:
      return text.slice(0, at) + scrap + text.slice(at + length);
    case 3:
      return lines.toSpliced(line, 1).join("\n");
    case 4:
      return lines.toSpliced(line, 0, lines[Math.floor(random() * lines.length)] ?? "").join("\n");
    default:
      return lines.with(line, (lines[line] ?? "").replace(/: .*/, `: ${scrap}`)).join("\n");
  }
}

Deno.test("parseWorkflow() never throws: broken text has problems with places", () => {
  const rounds = Number(Deno.env.get("FUZZ_ROUNDS") ?? 400); // 30,000 were run when this was written
  const random = numbers(Number(Deno.env.get("FUZZ_SEED") ?? 7));
  for (let round = 0; round < rounds; round++) {
    let text = round % 2 === 0 ? FIRST : FULL;
    for (let times = 1 + Math.floor(random() * 4); times > 0; times--) text = mutate(text, random);
    try {
      const { workflow, problems } = parse(text, {
        ...FULL_FILES,
        "shared.yaml": text,
        ...(round % 3 === 0 && { "billing/invoice.yaml": text }),
      });
      if (workflow === null && problems.length === 0) fail("no workflow and no problem");
      for (const { line, column, file, message } of problems) {
        if (file === null || !(Number(line) >= 1) || !(Number(column) >= 1)) {
          fail(`no place: ${message}`);
        }
        if (/\bundefined\b|\[object|Symbol\(/.test(message)) fail(`strange words: ${message}`);
      }
    } catch (thrown) {
      throw new Error(`Round ${round} failed on:\n${text}`, { cause: thrown });
    }
  }
});

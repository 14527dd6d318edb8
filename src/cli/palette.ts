import colors from "picocolors";

/** What is painted how. */
export type Tone = "plain" | "strong" | "faint" | "good" | "bad" | "warn" | "busy" | "undo";

/** Paints a text. */
export type Paint = (tone: Tone, text: string) => string;

/** The program's colours, or none. */
export function paintWith(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  const { bold, dim, green, red, yellow, cyan, magenta } = colors.createColors(true);
  const brushes: Record<Tone, (text: string) => string> = {
    plain: (text) => text,
    strong: bold,
    faint: dim,
    good: green,
    bad: red,
    warn: yellow,
    busy: cyan,
    undo: magenta,
  };
  return (tone, text) => text === "" ? "" : brushes[tone](text);
}

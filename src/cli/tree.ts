/**
 * A run as a tree, for a terminal: pure text from where the run stands.
 *
 * @module
 */
import type { Paint, Tone } from "./palette.ts";
import type { RunView } from "./run_view.ts";
import { spinner } from "./step_look.ts";
import { endLook, statusText } from "./status_text.ts";
import { formatTime, shorten } from "./text.ts";
import type { Row } from "./tree_row.ts";
import { rowsOf } from "./tree_rows.ts";

/** How a tree is drawn. */
export interface TreeOptions {
  /** In columns. */
  readonly width: number;
  /** In rows; what does not fit is left out around what is under way. @default all of them */
  readonly height?: number;
  readonly paint: Paint;
  /** Said at the end of the last line while the run goes on. */
  readonly hint?: string;
  /** A line of its own below. */
  readonly note?: string;
}

/** The room for how a step goes; more only moves its time away from it. */
const DETAIL = 52;

type Piece = readonly [tone: Tone, text: string];

/** The tree of a run as it stands at `now`, in milliseconds since the epoch. */
export function renderTree(
  view: RunView,
  now: number,
  options: TreeOptions,
): string {
  const { paint, height = Infinity } = options;
  const width = Math.max(20, options.width);
  const rows = rowsOf(view, now);
  const columns = columnsOf(rows, width);
  const lines = rows.map((row, index) => ({ row, line: layOut(row, columns, width), index }));
  const { note = "" } = options;
  const shown = fit(lines, Math.max(1, height - (note === "" ? 4 : 5)));
  const above = shown[0]?.index ?? 0;
  const below = rows.length - above - shown.length;
  return [
    heading(view, width),
    ...(above > 0 ? [[["faint", `│  ${above} more above`] as const]] : []),
    ...shown.map(({ line }) => line),
    ...(below > 0 ? [[["faint", `│  ${below} more below`] as const]] : []),
    footer(view, now, options.hint, width),
    ...(note === "" ? [] : [[["warn", shorten(note, width)] as const]]),
  ].map((pieces) => pieces.map(([tone, text]) => paint(tone, text)).join("").trimEnd()).join("\n");
}

function heading({ workflow, state }: RunView, width: number): Piece[] {
  const { name, version } = workflow;
  const title = shorten([name, version].filter((part) => part !== null).join(" "), width);
  const id = state.started?.runId ?? "";
  const left = width - title.length - 2;
  return [["strong", title], ["faint", left < 12 ? "" : `  ${shorten(id, left)}`]];
}

function footer(
  view: RunView,
  now: number,
  hint: string | undefined,
  width: number,
): Piece[] {
  const { glyph, tone } = endLook(view) ?? { glyph: spinner(now), tone: "busy" as const };
  const text = shorten(statusText(view, now), width - 2);
  const rest = width - 5 - text.length;
  const said = view.state.end === null && hint !== undefined && hint !== "" && hint.length <= rest
    ? ` · ${hint}`
    : "";
  return [[tone, `${glyph} `], [view.state.end === null ? "plain" : tone, text], ["faint", said]];
}

interface Columns {
  readonly label: number;
  /** 0: left out, there is no room. */
  readonly what: number;
}

const TIME = 7;

function columnsOf(rows: readonly Row[], width: number): Columns {
  const widest = (text: (row: Row) => string) =>
    Math.max(0, ...rows.map((row) => text(row).length));
  const label = Math.min(widest((row) => row.branch + row.label) + 2, Math.floor(width * 0.5));
  const room = width - label - TIME - 2;
  const what = Math.min(widest((row) => row.what), Math.floor(width * 0.3));
  return { label, what: room - what >= 14 ? what : 0 };
}

function layOut(row: Row, { label, what }: Columns, width: number): Piece[] {
  const name = shorten(row.label, Math.max(1, label - row.branch.length - 2));
  const left = row.branch.length + 2 + name.length;
  const pieces: Piece[] = [
    ["faint", row.branch],
    [row.tone, `${row.glyph} `],
    [row.labelTone, name],
    ["plain", " ".repeat(Math.max(0, label - left))],
  ];
  let used = Math.max(label, left);
  if (what > 0) {
    pieces.push(["faint", `  ${shorten(row.what, what).padEnd(what)}`]);
    used += what + 2;
  }
  const end = Math.min(width, label + what + DETAIL) - TIME;
  for (const { tone, text } of row.details) {
    const room = end - used - 3;
    if (room < Math.min(4, text.length)) break;
    const said = shorten(text, room);
    pieces.push(["plain", "  "], [tone, said]);
    used += said.length + 2;
  }
  const time = row.time === null ? "" : formatTime(row.time);
  if (time !== "" && end > label) {
    pieces.push(["plain", " ".repeat(Math.max(1, end - used))], ["faint", time.padStart(TIME)]);
  }
  return pieces;
}

/** As many rows as there is room for: those under way, and what is around them. */
function fit<T extends { readonly row: Row }>(rows: readonly T[], height: number): readonly T[] {
  if (rows.length <= height) return rows;
  const active = rows.findLastIndex(({ row }) => row.active);
  const anchor = active === -1 ? rows.length - 1 : active;
  const from = Math.min(Math.max(0, anchor - Math.floor(height * 0.7)), rows.length - height);
  return rows.slice(from, from + height);
}

import type { Notice } from "../machines/board.ts";
import type { Fact } from "../machines/facts.ts";

/** What happens in a run: its facts, once they are durable, and notices in between. */
export type Happening = Fact | Notice;

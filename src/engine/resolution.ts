import type { Op } from "../machines/facts.ts";
import type { Json } from "../workflow/json.ts";

/** What an operator decides about a parked step. */
export interface Resolution {
  /** The step's path. */
  readonly step: string;
  /** Which of the step's calls is parked. @default the one that is */
  readonly op?: Op;
  /** `retry` tries again; `skip` leaves it undone and goes on; `abort` ends the rollback here. */
  readonly action: "retry" | "skip" | "abort";
  /** With `retry`: another request. */
  readonly input?: Json;
  /** With `skip`, where the action itself is parked: what it is taken to have answered. */
  readonly output?: Json;
  /** Who decided, for the record. */
  readonly by?: string;
  /** Why, for the record. */
  readonly reason: string;
  /** Tells resolutions apart: a second one with the same id is none. @default none: it is one of its own */
  readonly id?: string;
}

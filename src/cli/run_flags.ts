import type { PlaceFlags } from "./place.ts";
import type { RetentionFlags } from "./retention.ts";
import type { RequestFlags } from "./run_request.ts";
import type { StageFlags } from "./stage.ts";

/** The options of `run`. */
export interface RunFlags extends RequestFlags, StageFlags, RetentionFlags, PlaceFlags {}

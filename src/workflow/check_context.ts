import type { TemplateUse } from "./build_steps.ts";
import type { Workflow } from "./model.ts";
import type { Visible } from "./scope.ts";
import type { StepPlaces } from "./step_places.ts";

/** What the checks of a whole workflow go by. */
export interface CheckContext {
  readonly workflow: Workflow;
  readonly where: StepPlaces;
  /** Names of steps that have problems of their own. */
  readonly forgiven: ReadonlySet<string>;
  /** The paths of steps that were made without a mistake that is in them: nobody is warned of these. */
  readonly flawed: ReadonlySet<string>;
  /** What {@linkcode visibility} says of the workflow. */
  readonly seen: ReadonlyMap<string, Visible>;
}

/** What the warnings go by, besides the workflow. */
export interface LintContext extends Pick<CheckContext, "where" | "seen" | "flawed"> {
  /** The services that steps call. */
  readonly used: ReadonlySet<string>;
  readonly uses: readonly TemplateUse[];
}

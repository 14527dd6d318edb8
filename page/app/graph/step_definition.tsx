import type { VNode } from "preact";
import type { StepNode } from "../../../src/server/step_tree.ts";
import { serviceAddress } from "../router.ts";
import { detailOf, KIND_NAMES } from "./step_words.ts";

/** What the workflow says of a step. */
export function StepDefinition({ step }: { readonly step: StepNode }): VNode {
  const { call, compensate } = step;
  return (
    <dl class="facts">
      <dt>Kind</dt>
      <dd>{KIND_NAMES[step.kind]}{detailOf(step) === "" ? "" : `: ${detailOf(step)}`}</dd>
      {call !== null && (
        <>
          <dt>Calls</dt>
          <dd class="code">
            <a href={serviceAddress(call.service)}>{call.service}</a> · {call.method}
          </dd>
        </>
      )}
      {compensate !== null && (
        <>
          <dt>Undone by</dt>
          <dd class="code">
            {"steps" in compensate
              ? compensate.steps.map(({ id }) => id).join(", ")
              : `${compensate.service} · ${compensate.method}`}
          </dd>
        </>
      )}
      {step.when !== null && (
        <>
          <dt>When</dt>
          <dd class="code">{step.when}</dd>
        </>
      )}
      {step.needs.length > 0 && (
        <>
          <dt>Needs</dt>
          <dd>{step.needs.join(", ")}</dd>
        </>
      )}
    </dl>
  );
}

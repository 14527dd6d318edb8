import type { VNode } from "preact";
import type { Failure } from "../../../src/machines/failure.ts";
import type { JsonValue } from "../api/json.ts";
import { JsonView } from "../ui/json_view.tsx";
import { LongText } from "../ui/long_text.tsx";

/** What went wrong. */
export function FailureView({ failure }: { readonly failure: Failure }): VNode {
  const { code, message, reason, domain, outcome, attempts, details, metadata } = failure;
  const hasMore = (details?.length ?? 0) > 0 || Object.keys(metadata ?? {}).length > 0;
  return (
    <div class="failure">
      <p>
        <strong class="code">{code}</strong> <LongText text={message} />
      </p>
      <p class="muted">
        {reason ? `Reason ${reason}${domain ? ` of ${domain}` : ""}. ` : ""}
        {outcome && attempts !== 0 ? OUTCOMES[outcome] ?? "" : ""}
      </p>
      {hasMore && (
        <details>
          <summary>Details of the error</summary>
          <JsonView value={{ metadata, details } as unknown as JsonValue} label="Error details" />
        </details>
      )}
    </div>
  );
}

const OUTCOMES: Readonly<Record<string, string>> = {
  not_sent: "The request never left.",
  rejected: "The service refused: it did not happen.",
  unknown: "Nobody knows whether it happened.",
};

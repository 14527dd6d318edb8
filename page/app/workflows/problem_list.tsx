import type { VNode } from "preact";
import type { Problem } from "../../../src/errors.ts";

/** What is wrong with a workflow's file. */
export function ProblemList({ problems, startable }: {
  readonly problems: readonly Problem[];
  /** The last good one is still there. */
  readonly startable: boolean;
}): VNode {
  const hasErrors = problems.some(({ severity }) => severity === "error");
  return (
    <section
      class={`notice ${hasErrors ? "notice-error" : "notice-warning"}`}
      aria-label="Problems"
    >
      {hasErrors && (
        <p>
          <strong>The file is broken.</strong> {startable
            ? "Until it is mended, the last good one is used; it is what is shown here."
            : "It can't be started until it is mended."}
        </p>
      )}
      {hasErrors ? <Problems problems={problems} /> : (
        <details>
          <summary>{problems.length} {problems.length === 1 ? "warning" : "warnings"}</summary>
          <Problems problems={problems} />
        </details>
      )}
    </section>
  );
}

function Problems({ problems }: { readonly problems: readonly Problem[] }): VNode {
  return (
    <ul class="problems">
      {problems.map(({ severity, message, file, line, column }, at) => (
        <li key={at}>
          <span class="code">{[file, line, column].filter((part) => part !== null).join(":")}</span>
          {" "}
          {severity}: {message}
        </li>
      ))}
    </ul>
  );
}

import type { VNode } from "preact";
import { LongText } from "../ui/long_text.tsx";
import { duration } from "../ui/duration.ts";
import { Moment, now } from "../ui/time.tsx";
import type { Attempt } from "./run_model.ts";

/** Every attempt of a call. */
export function AttemptsTable({ attempts }: { readonly attempts: readonly Attempt[] }): VNode {
  return (
    <table class="small-table">
      <caption class="visually-hidden">Attempts</caption>
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">Began</th>
          <th scope="col" class="number">Took</th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt, at) => (
          <tr key={at}>
            <td class="number">{attempt.number}</td>
            <td>
              <Moment at={new Date(attempt.startedAt).toISOString()} />
            </td>
            <td class="number">{duration((attempt.endedAt ?? now.value) - attempt.startedAt)}</td>
            <td>
              <span class={`code ${attempt.code === "OK" ? "is-good" : ""}`}>
                {attempt.code ?? "under way"}
              </span>
              {attempt.failure && (
                <span class="attempt-message">
                  <LongText text={attempt.failure.message} />
                </span>
              )}
              {attempt.nextAt !== null && attempt.nextAt > now.value &&
                at === attempts.length - 1 &&
                <span class="muted">again in {duration(attempt.nextAt - now.value)}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import type { ComponentChildren, VNode } from "preact";
import type { ApiError } from "../api/api_error.ts";

/** What could not be had, and a way to try again. */
export function Problem({ error, onRetry }: {
  readonly error: ApiError;
  readonly onRetry?: () => void;
}): VNode {
  return (
    <div class="notice notice-error" role="alert">
      <p>{error.message}</p>
      {onRetry && <button type="button" class="button" onClick={onRetry}>Try again</button>}
    </div>
  );
}

/** That there is nothing, and what to do. */
export function Empty({ title, children }: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): VNode {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** That something is on its way. */
export function Loading({ what }: { readonly what: string }): VNode {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what}…
    </p>
  );
}

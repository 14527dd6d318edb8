/** Milliseconds as a workflow spells them: `250ms`, `2s`, `1.5s`, `2m`. */
export function spellDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`;
  return `${Math.round(milliseconds / 100) / 10}s`;
}

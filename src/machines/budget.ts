import type { BudgetRule } from "../workflow/model.ts";
/** Placeholder until the services branch lands. */
export class RetryBudget {
  constructor(_rule: BudgetRule) {}
  failed(): void {}
  succeeded(): void {}
  get allows(): boolean {
    return true;
  }
}

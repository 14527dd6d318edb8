/** The retry budget (semantics.md §1): the throttle of gRPC proposal A6. */
import assert from "node:assert/strict";
import { RetryBudget } from "../../src/machines/budget.ts";

Deno.test("a budget starts at max_tokens, and allows retries", () => {
  const budget = new RetryBudget({ maxTokens: 100, tokenRatio: 0.1 });
  assert.equal(budget.tokens, 100);
  assert.equal(budget.allows, true);
});

Deno.test("a retryable failure takes 1, a success gives token_ratio, never above max_tokens, never below 0", () => {
  const budget = new RetryBudget({ maxTokens: 2, tokenRatio: 0.5 });
  budget.succeeded();
  assert.equal(budget.tokens, 2);
  budget.failed();
  assert.equal(budget.tokens, 1);
  budget.succeeded();
  assert.equal(budget.tokens, 1.5);
  for (let call = 0; call < 5; call++) budget.failed();
  assert.equal(budget.tokens, 0);
  budget.succeeded();
  assert.equal(budget.tokens, 0.5);
});

Deno.test("a retry needs more than half: exactly half is too little", () => {
  const budget = new RetryBudget({ maxTokens: 4, tokenRatio: 0.1 });
  budget.failed();
  assert.equal(budget.allows, true, "3 of 4");
  budget.failed();
  assert.equal(budget.allows, false, "2 of 4");
  budget.succeeded();
  assert.equal(budget.allows, true, "2.1 of 4");
});

Deno.test("a budget counts in thousandths, so that ten times 0.1 is 1", () => {
  const budget = new RetryBudget({ maxTokens: 10, tokenRatio: 0.1 });
  for (let call = 0; call < 5; call++) budget.failed();
  for (let call = 0; call < 10; call++) budget.succeeded();
  assert.equal(budget.tokens, 6);
  const fine = new RetryBudget({ maxTokens: 10, tokenRatio: 0.029 });
  fine.failed();
  fine.succeeded();
  assert.equal(fine.tokens, 9.029);
});

Deno.test("decimal places of token_ratio beyond the third are ignored", () => {
  const budget = new RetryBudget({ maxTokens: 10, tokenRatio: 0.5466 });
  budget.failed();
  budget.succeeded();
  assert.equal(budget.tokens, 9.546);
});

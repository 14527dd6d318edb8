import assert from "node:assert/strict";
import { batches } from "../../src/server/http/batches.ts";

/** What comes of texts, each of which is there at once or, after `null`, in another turn. */
async function batched(
  texts: readonly (string | null | Error)[],
  most = 100,
): Promise<(string | Error)[]> {
  async function* source() {
    for (const text of texts) {
      if (text instanceof Error) throw text;
      if (text === null) await new Promise((resolve) => setTimeout(resolve, 5));
      else yield text;
    }
  }
  const found: (string | Error)[] = [];
  try {
    for await (const batch of batches(source(), most)) found.push(batch);
  } catch (thrown) {
    found.push(thrown as Error);
  }
  return found;
}

Deno.test("texts of one turn come together, those of another by themselves", async () => {
  assert.deepEqual(await batched(["a", "b", "c"]), ["abc"]);
  assert.deepEqual(await batched(["a", null, "b", "c", null, "d"]), ["a", "bc", "d"]);
  assert.deepEqual(await batched([]), []);
});

Deno.test("no text is waited with for more once it is long", async () => {
  assert.deepEqual(await batched(["xx", "xx", "xx", "xx", "x"], 4), ["xxxx", "xxxx", "x"]);
});

Deno.test("what came before a failure is not lost", async () => {
  const failure = new Error("gone");
  assert.deepEqual(await batched(["a", "b", failure]), ["ab", failure]);
  assert.deepEqual(await batched(["a", null, failure]), ["a", failure]);
});

// The file of the Node services' store: what a crash may leave of it, and what is read back.

import assert from "node:assert/strict";
import { Store } from "../../examples/services/node/store.mjs";

function testStore(name: string, test: (directory: string) => void): void {
  Deno.test({
    name: `Store ${name}`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn() {
      const directory = Deno.makeTempDirSync();
      try {
        test(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

/** Opens the store, does something with it, and closes it. */
function withStore<Result>(directory: string, use: (store: Store) => Result): Result {
  const store = new Store(directory);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

function put(directory: string, key: string): void {
  withStore(directory, (store) => store.transaction(() => store.put("t", key, key)));
}

const keys = (directory: string) => withStore(directory, (store) => store.values("t"));

testStore("drops a torn last line and goes on after it", (directory) => {
  put(directory, "a");
  const file = `${directory}/services.jsonl`;
  Deno.writeTextFileSync(file, '[["t","b","b"],["t","c', { append: true });
  assert.deepEqual(keys(directory), ["a"]);
  put(directory, "d");
  assert.deepEqual(keys(directory), ["a", "d"]);
});

testStore("forgets all of a transaction that throws", (directory) => {
  put(directory, "a");
  withStore(directory, (store) => {
    const failing = () =>
      store.transaction(() => {
        store.put("t", "b", "b");
        store.delete("t", "a");
        throw new Error("no");
      });
    assert.throws(failing, /no/);
    assert.deepEqual(store.values("t"), ["a"]);
  });
  assert.deepEqual(keys(directory), ["a"]);
});

testStore("refuses changes outside of a transaction", (directory) => {
  withStore(directory, (store) => assert.throws(() => store.put("t", "a", 1), /transaction/));
});

// Branches side by side, as the service they call sees them.

import assert from "node:assert/strict";
import { type ScriptedServer, startServer } from "../support/grpc_server.ts";
import { runToEnd } from "../support/running.ts";

/** One call at the service: events are numbered as they happen. */
interface Visit {
  came: number;
  left: number;
}

/** A service that sees who is there at the same time. */
class Meeting {
  readonly visits = new Map<string, Visit>();
  /** The most calls that were there at once. */
  most = 0;
  #there = 0;
  #events = 0;
  #waiting: (() => void)[] = [];

  /** @param quorum how many have to be there before the first may go: proves overlap without a clock */
  constructor(readonly quorum: number) {}

  async visit(name: string): Promise<void> {
    const visit = { came: ++this.#events, left: Infinity };
    this.visits.set(name, visit);
    this.most = Math.max(this.most, ++this.#there);
    if (this.visits.size < this.quorum) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      // Whoever would come too early gets the time to.
      await new Promise((resolve) => setTimeout(resolve, 60));
      for (const go of this.#waiting.splice(0)) go();
    }
    this.#there--;
    visit.left = ++this.#events;
  }

  at(name: string): Visit {
    const visit = this.visits.get(name);
    assert.ok(visit, `${name} never came`);
    return visit;
  }
}

async function meet(quorum: number, head: string, branches: readonly string[]): Promise<Meeting> {
  const meeting = new Meeting(quorum);
  await using server: ScriptedServer = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": async ({ request }) => {
        const { sku } = request as { sku: string };
        await meeting.visit(sku);
        return { order_id: sku };
      },
    },
  });
  const report = await runToEnd(`name: meeting
services:
  shop: { endpoint: "${server.endpoint}", attempt_timeout: 5s, proto_service: Shop }
steps:
  - id: all
${head}
    parallel:
${branches.map((branch) => `      - ${branch}`).join("\n")}
output: "{{ .all }}"
`);
  assert.equal(report.status, "completed", JSON.stringify(report.error));
  return meeting;
}

const buy = (id: string, more = "") =>
  `{ id: ${id}, service: shop, method: Buy, input: { sku: ${id} }${more} }`;

Deno.test("branches that need nothing are all at their service at the same time", async () => {
  const { most } = await meet(4, "", ["a", "b", "c", "d"].map((id) => buy(id)));
  assert.equal(most, 4);
});

Deno.test("a branch is called only after those that it needs have answered", async () => {
  const meeting = await meet(2, "", [
    buy("last", ", needs: [left, right]"),
    buy("left", ", needs: [first]"),
    buy("first"),
    buy("right"),
  ]);
  const [first, left, right, last] = ["first", "left", "right", "last"].map((id) => meeting.at(id));
  assert.ok(first!.left < left!.came);
  assert.ok(left!.left < last!.came && right!.left < last!.came);
  assert.ok(right!.came < first!.left, "right waits for nobody");
});

Deno.test("no more branches than `concurrency` are at their service, and no fewer", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const meeting = await meet(2, "    concurrency: 2", names.map((id) => buy(id)));
  assert.equal(meeting.most, 2);
  assert.deepEqual([...meeting.visits.keys()].sort(), names);
});

Deno.test("a branch of several steps takes them in order while the others go on", async () => {
  const meeting = await meet(2, "", [
    `steps: [ ${buy("one")}, ${buy("two")} ]`,
    buy("beside"),
  ]);
  assert.ok(meeting.at("one").left < meeting.at("two").came);
  assert.ok(meeting.at("beside").came < meeting.at("one").left);
});

Deno.test("a branch can use what the branch that it needs has answered", async () => {
  const meeting = await meet(1, "", [
    buy("a"),
    `{ id: b, needs: [a], service: shop, method: Buy, input: { sku: "{{ .a.order_id + 'b' }}" } }`,
  ]);
  assert.ok(meeting.at("a").left < meeting.at("ab").came);
});

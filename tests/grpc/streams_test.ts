import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Value } from "../../src/workflow/value.ts";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { type Script, type ScriptedCall, startServer, status } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { SHOP_FILES } from "../support/shop_files.ts";
import { answerGrpc, frame, startHttp2 } from "../support/raw_server.ts";

const WATCH = "acme.shop.v1.Shop/Watch";
const UPLOAD = "acme.shop.v1.Shop/Upload";
const TALK = "acme.shop.v1.Shop/Talk";

const order = (id: string) => ({ order_id: id });

/** A script that answers with these orders. */
function watch(...ids: readonly string[]): Script {
  return async function* () {
    for (const id of ids) yield await Promise.resolve({ order_id: id });
  };
}

/** Answers with what it was sent, all of it in one. */
async function upload({ requests }: ScriptedCall) {
  const skus: string[] = [];
  for await (const request of requests) skus.push((request as { sku: string }).sku);
  return { order_id: skus.join("+") };
}

async function* talk({ requests }: ScriptedCall) {
  for await (const request of requests) {
    yield { order_id: `for ${(request as { sku: string }).sku}` };
  }
}

/** Never yields anything more. */
function forever(): Promise<never> {
  return new Promise(() => {});
}

Deno.test("call() gives the list of a server stream's messages, an empty one included", async () => {
  await using server = await startServer({
    scripts: {
      [WATCH]: async function* ({ request }) {
        const { sku } = request as { sku: string };
        for (const id of sku.split(",").filter(Boolean)) yield await { order_id: id };
      },
    },
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  assert.deepEqual(
    outputOf(await callOnce(caller, target, "Shop/Watch", { sku: "a,b,c" })),
    ["a", "b", "c"].map(order),
  );
  assert.deepEqual(outputOf(await callOnce(caller, target, "Shop/Watch", { sku: "," })), []);
});

Deno.test("call() sends a list as a client stream, and gives its one answer", async () => {
  await using server = await startServer({ scripts: { [UPLOAD]: upload } });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const skus = ["a", "b", "c"].map((sku) => ({ sku }));
  assert.deepEqual(outputOf(await callOnce(caller, target, "Shop/Upload", skus)), order("a+b+c"));
  assert.deepEqual(
    outputOf(await callOnce(caller, target, "Shop/Upload", skus.slice(0, 1))),
    order("a"),
  );
  assert.deepEqual(outputOf(await callOnce(caller, target, "Shop/Upload", [])), order(""));
});

Deno.test("call() talks both ways, and gives the list of the answers", async () => {
  await using server = await startServer({ scripts: { [TALK]: talk } });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const skus = ["a", "b"].map((sku) => ({ sku }));
  assert.deepEqual(
    outputOf(await callOnce(caller, target, "Shop/Talk", skus)),
    ["for a", "for b"].map(order),
  );
  assert.deepEqual(outputOf(await callOnce(caller, target, "Shop/Talk", [])), []);
});

Deno.test("call() writes no faster than is read, and loses nothing of what is large", async () => {
  const received: string[] = [];
  await using server = await startServer({
    scripts: {
      [UPLOAD]: async ({ requests }) => {
        for await (const request of requests) {
          received.push((request as { sku: string }).sku);
          if (received.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return { order_id: String(received.length) };
      },
    },
  });
  await using caller = openCaller();
  const skus = Array.from({ length: 60 }, (_, index) => `${index}:${"x".repeat(200_000)}`);
  const target = targetAt(server.endpoint);
  const answer = await callOnce(caller, target, "Shop/Upload", skus.map((sku) => ({ sku })), {
    timeout: 30_000,
  });
  assert.deepEqual(outputOf(answer), order("60"));
  assert.deepEqual(received, skus);
});

Deno.test("call() takes an answer that comes before the whole request was read", async () => {
  // The server goes first: what it has not read keeps a connection open on the client's side.
  await using caller = openCaller({ lingers: 400 });
  await using server = await startServer({
    scripts: {
      [UPLOAD]: () => ({ order_id: "enough" }),
      [TALK]: watch(...Array.from({ length: 100 }, (_, index) => String(index))),
    },
  });
  const target = targetAt(server.endpoint);
  // More than fits into the windows: what nobody reads can't all have been written.
  const skus = Array.from({ length: 40 }, () => ({ sku: "x".repeat(100_000) }));
  for (let round = 0; round < 5; round++) {
    assert.deepEqual(
      outputOf(await callOnce(caller, target, "Shop/Upload", skus)),
      order("enough"),
    );
    const talked = outputOf(await callOnce(caller, target, "Shop/Talk", skus));
    assert.equal((talked as unknown[]).length, 100);
  }
});

Deno.test("encode() gives the requests of a stream as a list, for people and the journal", async () => {
  await using caller = openCaller();
  const target = targetAt("127.0.0.1:1", SHOP_FILES);
  const method = await caller.method(target, "Shop/Upload");
  assert.deepEqual(method.encode([{ sku: "a" }, {}]).json, [
    { sku: "a", items: [] },
    { sku: "", items: [] },
  ]);
  assert.deepEqual(method.encode([]).json, []);
});

Deno.test("encode() says which item does not fit, and what the method takes", async () => {
  await using caller = openCaller({ lingers: 0 });
  const target = targetAt("127.0.0.1:1", { ...SHOP_FILES, maxMessageSize: 1024 });
  const cases: readonly (readonly [method: string, input: Value, message: string])[] = [
    ["Upload", [{}, {}, { sku: 5 }], "input[2].sku: Cannot use 5 as a string"],
    [
      "Talk",
      [{ sku: "a" }, "b"],
      'input[1]: Cannot use "b" as the message acme.shop.v1.BuyRequest, which takes an object',
    ],
    [
      "Upload",
      { sku: "a" },
      "input: Cannot use an object as a stream: acme.shop.v1.Shop/Upload takes a list of acme.shop.v1.BuyRequest, such as [{ … }]",
    ],
    [
      "Talk",
      null,
      "input: Cannot use null as a stream: acme.shop.v1.Shop/Talk takes a list of acme.shop.v1.BuyRequest, such as [{ … }]",
    ],
    [
      "Shop/Buy",
      [{}],
      "input: acme.shop.v1.Shop/Buy takes one acme.shop.v1.BuyRequest, and not a list",
    ],
    [
      "Watch",
      [{}],
      "input: acme.shop.v1.Shop/Watch takes one acme.shop.v1.BuyRequest, and not a list",
    ],
    [
      "Upload",
      [{}, { sku: "x".repeat(1100) }],
      'input[1]: Cannot send a acme.shop.v1.BuyRequest of 1103 bytes: the "max_message_size" of "shop" is 1KiB',
    ],
  ];
  for (const [name, input, message] of cases) {
    const method = await caller.method(target, name);
    assert.throws(() => method.encode(input), { code: "INVALID_REQUEST", message });
  }
});

Deno.test("call() takes as many messages as max_messages says, and cancels what sends more", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await startServer({
    scripts: {
      [WATCH]: watch("a", "b", "c"),
      [TALK]: async function* ({ signal }) {
        signal.addEventListener("abort", () => ended.resolve());
        for (let index = 0;; index++) yield await { order_id: String(index) };
      },
    },
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const enough = await callOnce(caller, target, "Shop/Watch", {}, { maxMessages: 3 });
  assert.deepEqual(outputOf(enough), ["a", "b", "c"].map(order));
  const cases = [
    ["Watch", 2, "2 messages"],
    ["Watch", 1, "1 message"],
    ["Talk", 3, "3 messages"],
  ] as const;
  for (const [method, maxMessages, spelt] of cases) {
    const input = method === "Talk" ? [{}] : {};
    const answer = await callOnce(caller, target, `Shop/${method}`, input, { maxMessages });
    assert.deepEqual(failureOf(answer), {
      code: "RESOURCE_EXHAUSTED",
      local: true,
      message: `"shop" at ${server.endpoint} answered with more than ${spelt}, its "max_messages"`,
      outcome: "unknown",
      begun: true,
    });
  }
  await ended.promise;
});

Deno.test("call() ends a stream at its deadline, which its server knows, and says how far it came", async () => {
  const ended = Promise.withResolvers<void>();
  const timeouts: number[] = [];
  await using server = await startServer({
    scripts: {
      [WATCH]: async function* ({ request, timeout, signal }) {
        timeouts.push(timeout);
        signal.addEventListener("abort", () => ended.resolve());
        const { sku } = request as { sku?: string };
        if (sku === "some") {
          yield { order_id: "a" };
          yield { order_id: "b" };
        }
        await forever();
      },
    },
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const none = await callOnce(caller, target, "Shop/Watch", {}, { timeout: 300 });
  assert.deepEqual(failureOf(none), {
    code: "DEADLINE_EXCEEDED",
    message: `"shop" at ${server.endpoint} gave no answer within 300ms`,
    outcome: "unknown",
  });
  const some = await callOnce(caller, target, "Shop/Watch", { sku: "some" }, { timeout: 300 });
  assert.deepEqual(failureOf(some), {
    code: "DEADLINE_EXCEEDED",
    message: `"shop" at ${server.endpoint} sent 2 messages, but did not end the call within 300ms`,
    outcome: "unknown",
    begun: true,
  });
  assert.ok(timeouts.every((timeout) => timeout <= 300), `${timeouts}`);
  await ended.promise;
});

for (const [method, input] of [["Watch", {}], ["Upload", [{}, {}]], ["Talk", [{}, {}]]] as const) {
  Deno.test(`call() ends an aborted Shop/${method} at the server too`, async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const hang: Script = ({ signal }) => {
      started.resolve(signal);
      return forever();
    };
    await using server = await startServer({
      scripts: {
        [UPLOAD]: hang,
        [`acme.shop.v1.Shop/${method}`]: method === "Upload" ? hang : async function* (call) {
          yield { order_id: "a" };
          await hang(call);
        },
      },
    });
    await using caller = openCaller();
    const abort = new AbortController();
    const { signal } = abort;
    const answer = callOnce(caller, targetAt(server.endpoint), `Shop/${method}`, input, { signal });
    const atServer = await started.promise;
    const reached = new Promise((resolve) => atServer.addEventListener("abort", resolve));
    await new Promise((resolve) => setTimeout(resolve, 50)); // for the first message to arrive
    abort.abort();
    assert.deepEqual(failureOf(await answer), {
      code: "CANCELLED",
      message: `The call to "shop" at ${server.endpoint} was cancelled`,
      outcome: "unknown",
      ...(method !== "Upload" && { begun: true }),
    });
    await reached;
  });
}

Deno.test("call() marks a failure after a message had come back, and no other", async () => {
  const fail = (id: string | null): Script =>
    async function* () {
      if (id !== null) yield await { order_id: id };
      throw status(14, "later", { trailers: { "grpc-retry-pushback-ms": "5" } });
    };
  let id: string | null = null;
  await using server = await startServer({
    scripts: { [WATCH]: (call) => fail(id)(call), [TALK]: (call) => fail(id)(call) },
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const failure = { code: "UNAVAILABLE", message: "later", outcome: "unknown", pushback: 5 };
  for (const [method, input] of [["Watch", {}], ["Talk", [{}]]] as const) {
    id = null;
    assert.deepEqual(failureOf(await callOnce(caller, target, `Shop/${method}`, input)), failure);
    id = "a";
    // Again and again: message and status may well come in one packet.
    for (let round = 0; round < 50; round++) {
      const answer = await callOnce(caller, target, `Shop/${method}`, input);
      assert.deepEqual(failureOf(answer), { ...failure, begun: true });
    }
  }
});

const OK_FRAME = frame(Buffer.from([0x0a, 0x02, 0x6f, 0x31])); // {order_id: "o1"}
const GARBAGE = frame(new Uint8Array([0x0a, 0xff]));

const WRONG: readonly {
  readonly when: string;
  readonly method: string;
  readonly frames: readonly Uint8Array[];
  readonly message: string;
  readonly begun?: true;
}[] = [
  {
    when: "a message of a server stream is garbage",
    method: "Watch",
    frames: [OK_FRAME, GARBAGE],
    message:
      "answered with data that is no acme.shop.v1.BuyReply: premature EOF; does its schema differ from the one in use?",
    begun: true,
  },
  {
    when: "the answer to a client stream is garbage",
    method: "Upload",
    frames: [GARBAGE],
    message:
      "answered with data that is no acme.shop.v1.BuyReply: premature EOF; does its schema differ from the one in use?",
    begun: true,
  },
  {
    when: "a client stream is answered twice",
    method: "Upload",
    frames: [OK_FRAME, OK_FRAME],
    message: "answered with more than the one message that is due",
    begun: true,
  },
  {
    when: "a client stream is answered OK without a message",
    method: "Upload",
    frames: [],
    message: "answered OK without a message",
  },
];

for (const { when, method, frames, message, begun } of WRONG) {
  Deno.test(`call() fails as INTERNAL when ${when}`, async () => {
    await using server = await startHttp2((stream) => answerGrpc(stream, Buffer.concat(frames)));
    await using caller = openCaller();
    const target = targetAt(server.endpoint, SHOP_FILES);
    const input = method === "Upload" ? [{}] : {};
    assert.deepEqual(failureOf(await callOnce(caller, target, `Shop/${method}`, input)), {
      code: "INTERNAL",
      message: `"shop" at ${server.endpoint} ${message}`,
      outcome: "unknown",
      ...(begun && { begun }),
    });
  });
}

Deno.test("call() makes many streams at a time over one connection", async () => {
  await using server = await startServer({ scripts: { [TALK]: talk, [UPLOAD]: upload } });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const skus = Array.from({ length: 20 }, (_, index) => ({ sku: String(index) }));
  const answers = await Promise.all(
    Array.from(
      { length: 60 },
      (_, index) => callOnce(caller, target, index % 2 === 0 ? "Shop/Talk" : "Shop/Upload", skus),
    ),
  );
  for (const [index, answer] of answers.entries()) {
    const expected = index % 2 === 0
      ? skus.map(({ sku }) => order(`for ${sku}`))
      : order(skus.map(({ sku }) => sku).join("+"));
    assert.deepEqual(outputOf(answer), expected);
  }
});

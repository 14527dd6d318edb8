import assert from "node:assert/strict";
import { endsSo } from "../support/four_kinds.ts";
import { openCaller } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { answerFrames, GRPC_HEADERS, startFrames } from "../support/raw_http2.ts";
import { compressedFrame, frame } from "../support/raw_server.ts";
import { SHOP_FILES } from "../support/shop_files.ts";

Deno.test("call() of every kind names max_message_size where an answer is larger", async () => {
  await using server = await startFrames((stream) =>
    answerFrames(stream, frame(new Uint8Array(9), 5000))
  );
  await using caller = openCaller();
  const target = targetAt(server.endpoint, { ...SHOP_FILES, maxMessageSize: 4096 });
  await endsSo(caller, target, {
    code: "RESOURCE_EXHAUSTED",
    local: true,
    message: '"shop" at @ answered with 5000 bytes, more than its "max_message_size" of 4KiB',
    outcome: "unknown",
  });
});

Deno.test("call() names max_message_size where an answer is larger than it says", async () => {
  const zipped = new Uint8Array(
    await new Response(
      new Blob([new Uint8Array(100_000)]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  await using server = await startFrames((stream) => {
    stream.headers({ ...GRPC_HEADERS, "grpc-encoding": "gzip" });
    stream.data(compressedFrame(zipped));
    stream.headers({ "grpc-status": "0" }, true);
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint, { ...SHOP_FILES, maxMessageSize: 4096 });
  await endsSo(caller, target, {
    code: "RESOURCE_EXHAUSTED",
    local: true,
    message: '"shop" at @ answered with more than its "max_message_size" of 4KiB',
    outcome: "unknown",
  });
});

Deno.test("encode() names max_message_size where a request is larger, and nothing is sent", async () => {
  await using server = await startServer({ scripts: {} });
  await using caller = openCaller();
  const target = targetAt(server.endpoint, { ...SHOP_FILES, maxMessageSize: 4096 });
  const large = { sku: "x".repeat(4096) };
  for (
    const [name, input, lead] of [["Buy", large, ""], ["Upload", [large], "input[0]: "]] as const
  ) {
    const method = await caller.method(target, `Shop/${name}`);
    assert.throws(() => method.encode(input), {
      code: "INVALID_REQUEST",
      message: `${lead}Cannot send a acme.shop.v1.BuyRequest of 4099 bytes: ` +
        'the "max_message_size" of "shop" is 4KiB',
    });
  }
});

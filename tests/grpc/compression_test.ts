import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { gunzipSync, gzipSync } from "node:zlib";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { SHOP } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";
import { frame, startHttp2 } from "../support/raw_server.ts";

/** A `BuyRequest` or a `BuyReply`: the text is field 1 of both. */
function shopMessage(text: string): Buffer {
  const length = [text.length & 0x7f | 0x80, text.length >> 7]; // a varint of two bytes
  return Buffer.concat([Buffer.from([0x0a, ...length]), Buffer.from(text)]);
}

/** Answers every request with these bytes, in gzip where the caller says it reads that. */
async function startZipping(answer: Uint8Array) {
  const requests: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[] = [];
  const zipped = frame(gzipSync(answer));
  zipped[0] = 1; // compressed
  const server = await startHttp2((stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      requests.push({ headers, body: Buffer.concat(parts) });
      const reads = String(headers["grpc-accept-encoding"]).includes("gzip");
      stream.respond(
        {
          ":status": 200,
          "content-type": "application/grpc",
          ...(reads ? { "grpc-encoding": "gzip" } : {}),
        },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from(reads ? zipped : frame(answer)));
    });
  });
  return Object.assign(server, { requests });
}

Deno.test("compression: gzip makes requests small on the wire, and the server can read them", async () => {
  await using server = await startZipping(shopMessage("y".repeat(5_000)));
  await using caller = openCaller();
  const sku = "a".repeat(10_000);
  const zipped = targetAt(server.endpoint, { schema: SHOP, compression: "gzip" });
  const plain = targetAt(server.endpoint, { schema: SHOP });
  for (const target of [zipped, plain]) {
    const output = outputOf(await callOnce(caller, target, "Shop/Buy", { sku }));
    assert.deepEqual(output, { order_id: "y".repeat(5_000) }, "a zipped answer is read either way");
  }
  const [first, second] = server.requests;
  assert.equal(first?.headers["grpc-encoding"], "gzip");
  assert.equal(first?.body[0], 1, "marked as compressed");
  assert(first.body.length < 500, `${first.body.length} bytes`);
  assert.deepEqual(gunzipSync(first.body.subarray(5)), shopMessage(sku));
  assert.equal(second?.headers["grpc-encoding"], undefined);
  assert.deepEqual(second?.body.subarray(5), shopMessage(sku));
});

Deno.test("max_message_size holds for what an answer is when it is unzipped", async () => {
  await using server = await startZipping(shopMessage("y".repeat(5_000)));
  await using caller = openCaller();
  const target = targetAt(server.endpoint, { schema: SHOP, maxMessageSize: 4 * 1024 });
  const { code, message } = failureOf(await callOnce(caller, target, "Shop/Buy"));
  assert.equal(code, "RESOURCE_EXHAUSTED");
  assert.equal(
    message,
    `"shop" at ${server.endpoint} answered with more than its "max_message_size" of 4KiB`,
  );
});

Deno.test("a request over max_message_size is not sent, also where it would be small in gzip", async () => {
  await using server = await startZipping(shopMessage("y".repeat(500)));
  await using caller = openCaller();
  const settings = { schema: SHOP, maxMessageSize: 1024, compression: "gzip" as const };
  const target = targetAt(server.endpoint, settings);
  const call = callOnce(caller, target, "Shop/Buy", { sku: "a".repeat(2_000) });
  await assert.rejects(call, { code: "INVALID_REQUEST", message: /"max_message_size"/ });
  assert.equal(server.requests.length, 0);
});

/**
 * The echo service on a bad day, for `soak.ts`: of 100 calls five are refused as UNAVAILABLE, two are
 * answered too late, and every connection is recycled after a second. On SIGTERM it says what it did.
 */
import grpc from "@grpc/grpc-js";
import { echoService } from "./echo.ts";

/** Longer than the attempts of `soak.yaml`. */
const LATE = 450;
/** How long a recycled connection may finish its calls: longer than any of them takes. */
const GRACE = 1_000;

const did = { calls: 0, refused: 0, late: 0, connections: 0 };
const peers = new Set<string>();

const server = new grpc.Server({
  "grpc.max_connection_age_ms": 1_000,
  "grpc.max_connection_age_grace_ms": GRACE,
});
server.addService(echoService, {
  Say: (
    call: grpc.ServerUnaryCall<Uint8Array, Uint8Array>,
    answer: grpc.sendUnaryData<Uint8Array>,
  ) => {
    const at = did.calls++ % 100;
    peers.add(call.getPeer());
    if (at % 20 === 7) {
      did.refused++;
      answer({ code: grpc.status.UNAVAILABLE, details: "A bad day" });
    } else if (at % 50 === 13) {
      did.late++;
      const timer = setTimeout(() => answer(null, call.request), LATE);
      call.on("cancelled", () => clearTimeout(timer));
    } else answer(null, call.request);
  },
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
Deno.addSignalListener("SIGTERM", () => {
  console.log(JSON.stringify({ ...did, connections: peers.size }));
  Deno.exit(0);
});

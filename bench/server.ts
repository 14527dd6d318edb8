/** The service that is called: a process of its own, so that it costs both sides the same. */
import grpc from "@grpc/grpc-js";
import { echoService } from "./echo.ts";

const server = new grpc.Server();
server.addService(echoService, {
  Say: (
    call: grpc.ServerUnaryCall<Uint8Array, Uint8Array>,
    answer: grpc.sendUnaryData<Uint8Array>,
  ) => answer(null, call.request),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});

import type { Service } from "../../src/workflow/model.ts";
import { PROTOS } from "./grpc_server.ts";

/** A target's settings by which no server is asked for its schema: some can't say a word of gRPC. */
export const SHOP_FILES: Pick<Service, "schema"> = {
  schema: {
    kind: "proto",
    files: [`${PROTOS}/acme/shop.proto`],
    importPaths: [PROTOS],
    place: { file: "test.yaml", line: 1, column: 1 },
  },
};

// rewards.v1.Rewards

import type { DatabaseSync } from "node:sqlite";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { GrantSchema, Rewards } from "./gen/rewards/v1/rewards_pb.ts";
import { rpcError } from "../node/server/rpc_error.mjs";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

/** The handlers of the service. */
export function rewards(barrier: Barrier, database: DatabaseSync) {
  const { grantPerks, revokePerks } = Rewards.method;
  const grants = new Entities(database, GrantSchema);

  return {
    grantPerks: barrier.act(grantPerks, ({ accountId, perks }) => {
      required("account_id", accountId);
      if (perks.length === 0) throw rpcError(status.INVALID_ARGUMENT, "Cannot be empty: perks");
      return { grant: grants.add(accountId, { accountId, perks, createTime: timestampNow() }) };
    }),

    revokePerks: barrier.undo(revokePerks, ({ accountId }) => {
      grants.remove(accountId);
      return {};
    }),
  };
}

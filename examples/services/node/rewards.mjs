// rewards.v1.Rewards

import { timestampNow } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { Entities, required } from "./entities.mjs";
import { message, service } from "./server/descriptors.mjs";
import { rpcError } from "./server/rpc_error.mjs";

export const Rewards = service("rewards.v1.Rewards");

/**
 * The handlers of the service.
 *
 * @param {import("./barrier.mjs").Barrier} barrier
 * @param {import("./store.mjs").Store} store
 */
export function rewards(barrier, store) {
  const { grantPerks, revokePerks } = Rewards.method;
  const grants = new Entities(store, message("rewards.v1.Grant"));

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

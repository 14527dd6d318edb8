// accounts.v1.Accounts

import type { DatabaseSync } from "node:sqlite";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Accounts, AccountSchema, ProfileSchema, Tier } from "./gen/accounts/v1/accounts_pb.ts";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

/** The handlers of the service. */
export function accounts(barrier: Barrier, database: DatabaseSync) {
  const { createAccount, deleteAccount, getAccount, createProfile, deleteProfile } =
    Accounts.method;
  const accounts = new Entities(database, AccountSchema);
  const profiles = new Entities(database, ProfileSchema);

  return {
    createAccount: barrier.act(createAccount, (request) => ({
      account: accounts.add(required("account_id", request.accountId), {
        accountId: request.accountId,
        email: required("email", request.email),
        tier: request.tier || Tier.STANDARD,
        createTime: timestampNow(),
      }),
    })),

    deleteAccount: barrier.undo(deleteAccount, ({ accountId }) => {
      accounts.remove(accountId);
      if (profiles.find(accountId)) profiles.remove(accountId);
      return {};
    }),

    getAccount: barrier.verify(getAccount, ({ accountId }) => ({
      account: accounts.get(accountId),
    })),

    createProfile: barrier.act(createProfile, ({ accountId, displayName, locale }) => {
      accounts.get(accountId);
      return {
        profile: profiles.add(accountId, {
          accountId,
          displayName: required("display_name", displayName),
          locale: locale || "en",
          createTime: timestampNow(),
        }),
      };
    }),

    deleteProfile: barrier.undo(deleteProfile, ({ accountId }) => {
      profiles.remove(accountId);
      return {};
    }),
  };
}

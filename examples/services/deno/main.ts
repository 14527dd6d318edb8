// Every example service in one program that needs nothing but Deno.
//
//   deno run -A examples/services/deno/main.ts --port 50061 --port 50062 --port 50063 --data DIR
//
// It listens on as many ports as it is given, so that it can stand in for the programs in other
// languages; without any, on 50064.

import { readArguments, serve } from "../node/server/serve.mjs";
import { OpenStreams } from "../node/server/streams.mjs";
import { accounts } from "./accounts.ts";
import { Barrier } from "./barrier.ts";
import { openDatabase } from "./database.ts";
import { Accounts } from "./gen/accounts/v1/accounts_pb.ts";
import { Inventory } from "./gen/inventory/v1/inventory_pb.ts";
import { Ledger as LedgerService } from "./gen/ledger/v1/ledger_pb.ts";
import { Mail } from "./gen/mail/v1/mail_pb.ts";
import { Payments } from "./gen/payments/v1/payments_pb.ts";
import { Rewards } from "./gen/rewards/v1/rewards_pb.ts";
import { Shipping } from "./gen/shipping/v1/shipping_pb.ts";
import { inventory } from "./inventory.ts";
import { Ledger } from "./ledger.ts";
import { mail } from "./mail.ts";
import { payments } from "./payments.ts";
import { rewards } from "./rewards.ts";
import { shipping } from "./shipping.ts";

const { ports, directory, credentials } = readArguments("50064");
const database = openDatabase(directory);
const streams = new OpenStreams();
const ledger = new Ledger(database, streams);
const barrier = new Barrier(database, ledger);

await serve({
  ports,
  credentials,
  streams,
  services: [
    [Accounts, accounts(barrier, database)],
    [Inventory, inventory(barrier, database)],
    [Payments, payments(barrier, database)],
    [Shipping, shipping(barrier, database)],
    [Rewards, rewards(barrier, database)],
    [Mail, mail(barrier, database)],
    [LedgerService, ledger.handlers()],
  ],
  close: () => database.close(),
});

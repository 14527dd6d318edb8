// The example services that are written in JavaScript for Node.
//
//   node main.mjs --port 50063 --data DIR --tls-cert FILE --tls-key FILE --tls-client-ca FILE
//
// `--port 0` is any free port. Without --data, what they know is gone with the program; without
// --tls-cert, they speak plain text.

import { Barrier } from "./barrier.mjs";
import { Ledger } from "./ledger.mjs";
import { Mail, mail } from "./mail.mjs";
import { Rewards, rewards } from "./rewards.mjs";
import { service } from "./server/descriptors.mjs";
import { readArguments, serve } from "./server/serve.mjs";
import { OpenStreams } from "./server/streams.mjs";
import { Shipping, shipping } from "./shipping.mjs";
import { Store } from "./store.mjs";

const { ports, directory, credentials } = readArguments("50063");
const store = new Store(directory);
const streams = new OpenStreams();
const ledger = new Ledger(store, streams);
const barrier = new Barrier(store, ledger);

await serve({
  ports,
  credentials,
  streams,
  services: [
    [Shipping, shipping(barrier, store)],
    [Rewards, rewards(barrier, store)],
    [Mail, mail(barrier, store)],
    [service("ledger.v1.Ledger"), ledger.handlers()],
  ],
  close: () => store.close(),
});

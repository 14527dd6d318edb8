// mail.v1.Mail

import { randomUUID } from "node:crypto";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Entities, required } from "./entities.mjs";
import { enumeration, message, service } from "./server/descriptors.mjs";

export const Mail = service("mail.v1.Mail");
const Template = enumeration("mail.v1.Template");

/**
 * The handlers of the service.
 *
 * @param {import("./barrier.mjs").Barrier} barrier
 * @param {import("./store.mjs").Store} store
 */
export function mail(barrier, store) {
  const { sendWelcome, sendCancellation } = Mail.method;
  // What a real service would hand to its mail server after the transaction.
  const outbox = new Entities(store, message("mail.v1.Email"));

  function send(to, template) {
    const emailId = `em_${randomUUID()}`;
    required("to", to);
    return outbox.add(emailId, { emailId, template, to, sendTime: timestampNow() });
  }

  return {
    sendWelcome: barrier.act(sendWelcome, ({ to }) => ({
      email: send(to, Template.TEMPLATE_WELCOME),
    })),

    sendCancellation: barrier.undo(sendCancellation, ({ to }) => ({
      email: send(to, Template.TEMPLATE_CANCELLATION),
    })),
  };
}

// mail.v1.Mail

import type { DatabaseSync } from "node:sqlite";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { type Email, EmailSchema, Mail, Template } from "./gen/mail/v1/mail_pb.ts";
import type { Barrier } from "./barrier.ts";
import { Entities } from "./entities.ts";
import { required } from "./required.ts";

/** The handlers of the service. */
export function mail(barrier: Barrier, database: DatabaseSync) {
  const { sendWelcome, sendCancellation } = Mail.method;
  // What a real service would hand to its mail server after the transaction.
  const outbox = new Entities(database, EmailSchema);

  function send(to: string, template: Template): Email {
    const emailId = `em_${crypto.randomUUID()}`;
    required("to", to);
    return outbox.add(emailId, { emailId, template, to, sendTime: timestampNow() });
  }

  return {
    sendWelcome: barrier.act(sendWelcome, ({ to }) => ({ email: send(to, Template.WELCOME) })),

    sendCancellation: barrier.undo(sendCancellation, ({ to }) => ({
      email: send(to, Template.CANCELLATION),
    })),
  };
}

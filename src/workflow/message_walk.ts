import type { ReflectMessage } from "@bufbuild/protobuf/reflect";

/** Visits a message and every message inside it, but not what is packed in an `Any`. */
export function eachMessage(
  message: ReflectMessage,
  visit: (message: ReflectMessage) => void,
): void {
  visit(message);
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "message") eachMessage(message.get(field), visit);
    else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) eachMessage(item as ReflectMessage, visit); // by kind
    } else if (field.fieldKind === "map" && field.mapKind === "message") {
      for (const item of message.get(field).values()) eachMessage(item as ReflectMessage, visit); // by kind
    }
  }
}

import { MaestroError } from "../../errors.ts";
import type { Json } from "../../workflow/json.ts";
import { parseJson } from "../../workflow/json_text.ts";
import { InvalidFields } from "../invalid_fields.ts";
import { DEEPEST } from "../json_depth.ts";

/** How long a body may take to arrive, in milliseconds. */
const ARRIVES_WITHIN = 30_000;

/**
 * A request's body as JSON; `{}` where there is none.
 *
 * @param most how large it may be, in bytes
 * @throws {MaestroError} `INPUT_INVALID`, `USAGE`
 */
export async function readBody(request: Request, most: number): Promise<Json> {
  const bytes = await readBytes(request, most);
  if (bytes.length === 0) return {};
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw invalid(`it is of the type "${type}"; send it as application/json`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("it is not UTF-8 text");
  }
  if (depthOf(text) > DEEPEST) throw invalid(`it is more than ${DEEPEST} levels deep`);
  return parseJson(text, "body");
}

async function readBytes(request: Request, most: number): Promise<Uint8Array> {
  const tooLarge = () => invalid(`it has more than ${most} bytes, which is the most`);
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, ARRIVES_WITHIN);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) throw invalid(`it did not arrive within ${ARRIVES_WITHIN / 1_000} s`);
      if (done) break;
      size += value.length;
      if (size > most) throw tooLarge();
      parts.push(value);
    }
  } catch (thrown) {
    if (thrown instanceof MaestroError) throw thrown;
    throw invalid("it broke off");
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Looks at each character once: a pattern for strings would begin again at every quote of a broken text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isString && character === "\\") at++;
    else if (character === '"') isString = !isString;
    else if (isString) continue;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}

function invalid(why: string): MaestroError {
  return new InvalidFields([{ field: "body", description: why }]);
}

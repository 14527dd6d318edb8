// PROVISIONAL
import { celEnv, isCelError, isCelList, isCelMap, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import type { Json } from "./json.ts";
import type { Value } from "./value.ts";
import { MaestroError } from "../errors.ts";
const env = celEnv({ funcs: strings as never });
const cache = new Map<string, (b: never) => unknown>();
function run(source: string, bindings: Readonly<Record<string, Value>>): Value {
  let p = cache.get(source);
  if (!p) {
    let s = source.replace(/default\(\.([\w.]+), ('[^']*')\)/g, "(has(.$1) ? .$1 : $2)");
    p = plan(env as never, parse(s)) as never;
    cache.set(source, p!);
  }
  const r = p!(bindings as never);
  if (isCelError(r as never)) throw new MaestroError("EXPRESSION_ERROR", String((r as Error).message));
  return back(r);
}
function back(v: unknown): Value {
  if (isCelList(v)) return [...v].map(back);
  if (isCelMap(v)) return Object.fromEntries([...v.entries()].map(([k, x]) => [String(k), back(x)]));
  return v as Value;
}
export interface Ref {
  readonly root: string;
  readonly path: readonly string[];
}
const RE = /\{\{(.*?)\}\}/gs;
export function evaluateTemplate(t: Json, b: Readonly<Record<string, Value>>): Value {
  if (typeof t === "string") {
    const whole = /^\{\{((?:(?!\}\}).)*)\}\}\n?$/s.exec(t);
    if (whole) return run(whole[1]!, b);
    return t.replace(RE, (_, e) => String(run(e, b)));
  }
  if (Array.isArray(t)) return t.map((x) => evaluateTemplate(x, b));
  if (t && typeof t === "object") {
    return Object.fromEntries(Object.entries(t).map(([k, v]) => [k, evaluateTemplate(v, b)]));
  }
  return t as Value;
}
export function templateRefs(t: Json): readonly Ref[] {
  if (typeof t === "string") {
    return [...t.matchAll(RE)].flatMap((m) =>
      [...m[1]!.matchAll(/(?<![\w)\]])\.([a-z_]\w*)((?:\.\w+)*)/g)].map((r) => ({
        root: r[1]!,
        path: r[2]!.split(".").slice(1),
      }))
    );
  }
  if (Array.isArray(t)) return t.flatMap(templateRefs);
  if (t && typeof t === "object") return Object.values(t).flatMap(templateRefs);
  return [];
}

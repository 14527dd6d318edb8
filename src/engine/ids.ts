/** A run id: a UUID of version 7 (RFC 9562), so that ids sort by their time. */
export function newRunId(now: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(now) << 16n | random16(bytes));
  bytes[6] = 0x70 | (bytes[6] ?? 0) & 0x0f;
  bytes[8] = 0x80 | (bytes[8] ?? 0) & 0x3f;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join("-");
}

/** A W3C `traceparent` for a trace that begins here, sampled. */
export function newTraceparent(): string {
  const trace = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const span = toHex(crypto.getRandomValues(new Uint8Array(8)));
  return `00-${trace}-${span}-01`;
}

function random16(bytes: Uint8Array): bigint {
  return BigInt(bytes[6] ?? 0) << 8n | BigInt(bytes[7] ?? 0);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

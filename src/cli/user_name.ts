/** The name of who types, as the system has it; `null` where it has none. */
export function userName(): string | null {
  for (const name of ["USER", "LOGNAME", "USERNAME"]) {
    const value = Deno.env.get(name);
    if (value !== undefined && value !== "") return value;
  }
  return null;
}

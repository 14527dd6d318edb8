/** This release of Maestro, as deno.json has it. */
export const VERSION = "0.1.0";

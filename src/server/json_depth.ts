/** How deep the JSON of a request may be: what goes through it deeper would run out of stack. */
export const DEEPEST = 200;

/** The smallest program that makes the two calls: `plain_script.ts host:port`. */
import { plainClient } from "./plain_client.ts";

const client = plainClient(Deno.args[0] ?? "");
const { text } = await client.twoCalls("hello");
console.log(text);
client.close();

import type { Json } from "../../workflow/json.ts";
import type { Operator } from "../views.ts";
import { type Api, runPath } from "./api.ts";
import { Unreachable } from "./unreachable.ts";

/** Has a server do what is wanted of a run: it records who asked by their token. */
export function remoteOperator(api: Pick<Api, "post">): Operator {
  return {
    async cancel(runId) {
      await api.post(`${runPath(runId)}:cancel`, {});
      return null;
    },
    async signal(runId, name, payload = {}, id) {
      const signal = { name, data: payload, ...(id !== undefined && { signal_id: id }) };
      await api.post(`${runPath(runId)}:signal`, signal);
      return null;
    },
    async resolve(runId, { by: _, op: __, id, ...resolution }) {
      const word = { ...resolution, ...(id !== undefined && { resolution_id: id }) };
      await api.post(`${runPath(runId)}:resolve`, word as Json); // which has no key without a value
      return null;
    },
    async resume(runId) {
      try {
        await api.post(`${runPath(runId)}:resume`, {});
      } catch (thrown) {
        // Who follows the run waits for the server, which goes on with it by itself then.
        if (!(thrown instanceof Unreachable)) throw thrown;
      }
      return null;
    },
  };
}

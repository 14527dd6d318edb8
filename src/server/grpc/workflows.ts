import { create } from "@bufbuild/protobuf";
import { type Workflows, WorkflowSchema } from "../../gen/maestro/v1/workflows_pb.ts";
import type { Operations } from "../operations.ts";
import { workflowName, workflowOf } from "./names.ts";
import { pageOf } from "./pages.ts";
import { applyReadMask } from "./read_mask.ts";
import type { Methods } from "./rpc.ts";
import { problemMessage, workflowMessage, workflowSummary } from "./workflow_message.ts";

/** `maestro.v1.Workflows` over the operations. */
export function workflowsService(operations: Operations): Methods<typeof Workflows> {
  return {
    listWorkflows(request) {
      const { items, nextPageToken } = pageOf(
        operations.listWorkflows(),
        request,
        ({ name, version }) => workflowName(name, version),
      );
      return { workflows: items.map(workflowSummary), nextPageToken };
    },
    getWorkflow({ name, readMask }) {
      const { workflow, version } = workflowOf(name, "name");
      const found = workflowMessage(operations.getWorkflow(workflow, version));
      return applyReadMask(WorkflowSchema, create(WorkflowSchema, found), readMask);
    },
    async validateWorkflow({ definition }) {
      const { problems } = await operations.validate(definition);
      return { problems: problems.map(problemMessage) };
    },
  };
}

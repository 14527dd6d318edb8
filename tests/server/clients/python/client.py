"""Uses Maestro's gRPC API as a Python program would, and prints what it came to as JSON.

    client.py ADDRESS TOKEN [CA_FILE]
"""

import json
import sys

import grpc
from google.protobuf import json_format
from maestro.v1 import runs_pb2, runs_pb2_grpc, workflows_pb2, workflows_pb2_grpc

TIMEOUT = 30


def main():
    address, token, *ca = sys.argv[1:]
    metadata = [("authorization", f"Bearer {token}")]
    with connect(address, *ca) as channel:
        runs = runs_pb2_grpc.RunsStub(channel)
        said = {}

        def call(method, request):
            return method(request, metadata=metadata, timeout=TIMEOUT)

        def watch(name, until=None):
            kinds = []
            for response in runs.WatchRun(
                runs_pb2.WatchRunRequest(name=name), metadata=metadata, timeout=TIMEOUT
            ):
                kinds.append(response.event.kind)
                if kinds[-1] == until:
                    break
            return kinds

        def state(name):
            run = call(runs.GetRun, runs_pb2.GetRunRequest(name=name))
            return runs_pb2.Run.State.Name(run.state)

        start = runs_pb2.StartRunRequest(workflow="workflows/greet", run_id="py-greet")
        start.input.update({"name": "Ada"})
        run = call(runs.StartRun, start)
        signal = runs_pb2.SignalRunRequest(name=run.name, signal="go")
        signal.data.struct_value.update({"n": 1})
        call(runs.SignalRun, signal)
        said["greet"] = watch(run.name)[-1]
        run = call(runs.GetRun, runs_pb2.GetRunRequest(name=run.name))
        said["output"] = json_format.MessageToDict(run.output)

        run = call(
            runs.StartRun,
            runs_pb2.StartRunRequest(workflow="workflows/greet", run_id="py-cancel"),
        )
        call(runs.CancelRun, runs_pb2.CancelRunRequest(name=run.name))
        watch(run.name)
        said["cancel"] = state(run.name)

        run = call(
            runs.StartRun, runs_pb2.StartRunRequest(workflow="workflows/ship", run_id="py-ship")
        )
        watch(run.name, until="attention_raised")
        said["parked"] = state(run.name)
        resolve = runs_pb2.ResolveStepRequest(
            name=run.name,
            step="label",
            action=runs_pb2.ResolveStepRequest.RETRY,
            reason="a better address",
        )
        resolve.input.struct_value.update({"to": "Ada"})
        call(runs.ResolveStep, resolve)
        watch(run.name)
        said["resolve"] = state(run.name)

        found = call(runs.ListRuns, runs_pb2.ListRunsRequest(filter="py- AND state = COMPLETED"))
        said["list"] = sorted(run.name for run in found.runs)
        workflows = workflows_pb2_grpc.WorkflowsStub(channel)
        found = call(workflows.ListWorkflows, workflows_pb2.ListWorkflowsRequest())
        said["workflows"] = [one.name for one in found.workflows if one.startable]
        try:
            state("runs/none")
        except grpc.RpcError as error:
            said["error"] = error.code().name
    print(json.dumps(said))


def connect(address, ca=None):
    if ca is None:
        return grpc.insecure_channel(address)
    with open(ca, "rb") as file:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))


main()

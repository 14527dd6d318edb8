// Uses Maestro's gRPC API as a Go program would, and prints what it came to as JSON.
//
//	client ADDRESS TOKEN [CA_FILE]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	pb "example.com/client/maestro/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Args[2])
	transport := insecure.NewCredentials()
	if len(os.Args) > 3 {
		transport = must(credentials.NewClientTLSFromFile(os.Args[3], ""))
	}
	connection := must(grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(transport)))
	defer connection.Close()
	said := use(ctx, connection)
	must(0, json.NewEncoder(os.Stdout).Encode(said))
}

func use(ctx context.Context, connection *grpc.ClientConn) map[string]any {
	runs := pb.NewRunsClient(connection)
	said := map[string]any{}

	watch := func(name, until string) string {
		stream := must(runs.WatchRun(ctx, &pb.WatchRunRequest{Name: name}))
		last := ""
		for last == "" || last != until {
			response, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			must(0, err)
			last = response.Event.Kind
		}
		return last
	}
	state := func(name string) string {
		return must(runs.GetRun(ctx, &pb.GetRunRequest{Name: name})).State.String()
	}
	start := func(workflow, id string) string {
		request := &pb.StartRunRequest{Workflow: "workflows/" + workflow, RunId: id}
		return must(runs.StartRun(ctx, request)).Name
	}

	name := start("greet", "go-greet")
	data := must(structpb.NewValue(map[string]any{"n": 1}))
	must(runs.SignalRun(ctx, &pb.SignalRunRequest{Name: name, Signal: "go", Data: data}))
	said["greet"] = watch(name, "")
	said["output"] = must(runs.GetRun(ctx, &pb.GetRunRequest{Name: name})).Output.AsInterface()

	name = start("greet", "go-cancel")
	must(runs.CancelRun(ctx, &pb.CancelRunRequest{Name: name}))
	watch(name, "")
	said["cancel"] = state(name)

	name = start("ship", "go-ship")
	watch(name, "attention_raised")
	said["parked"] = state(name)
	must(runs.ResolveStep(ctx, &pb.ResolveStepRequest{
		Name:   name,
		Step:   "label",
		Action: pb.ResolveStepRequest_RETRY,
		Input:  must(structpb.NewValue(map[string]any{"to": "Ada"})),
		Reason: "a better address",
	}))
	watch(name, "")
	said["resolve"] = state(name)

	filter := &pb.ListRunsRequest{Filter: "go- AND state = COMPLETED"}
	names := []string{}
	for _, run := range must(runs.ListRuns(ctx, filter)).Runs {
		names = append(names, run.Name)
	}
	slices.Sort(names)
	said["list"] = names
	workflows := pb.NewWorkflowsClient(connection)
	startable := []string{}
	for _, one := range must(workflows.ListWorkflows(ctx, &pb.ListWorkflowsRequest{})).Workflows {
		if one.Startable {
			startable = append(startable, one.Name)
		}
	}
	said["workflows"] = startable

	_, err := runs.GetRun(ctx, &pb.GetRunRequest{Name: "runs/none"})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			said["error"] = info.Reason
		}
	}
	return said
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

package main

import (
	"strings"
	"sync"

	"google.golang.org/grpc"

	ledgerv1 "example.com/maestro/services/gen/ledger/v1"
)

// openStreams knows the streaming calls that have not ended, for who wants to
// see that a cancelled call ends here too.
type openStreams struct {
	mutex sync.Mutex
	open  map[*ledgerv1.Stream]struct{}
}

// intercept is a grpc.StreamServerInterceptor: a stream is open while its
// handler runs.
func (s *openStreams) intercept(
	server any, call grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
) error {
	method := strings.TrimPrefix(info.FullMethod, "/")
	// Health and reflection are not the example's own.
	if strings.HasPrefix(method, "grpc.") {
		return handle(server, call)
	}
	stream := &ledgerv1.Stream{Method: method, RunId: valueOf(call.Context(), "maestro-run-id")}
	s.mutex.Lock()
	s.open[stream] = struct{}{}
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		delete(s.open, stream)
	}()
	return handle(server, call)
}

func (s *openStreams) list(runID string) (streams []*ledgerv1.Stream) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for stream := range s.open {
		if runID == "" || runID == stream.GetRunId() {
			streams = append(streams, stream)
		}
	}
	return streams
}

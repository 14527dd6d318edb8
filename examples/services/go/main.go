// The example services that are written in Go.
//
//	go run . --port 50062 --data DIR
//
// --port 0 is any free port. Without --data, what they know is gone with the
// program.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	ledgerv1 "example.com/maestro/services/gen/ledger/v1"
	paymentsv1 "example.com/maestro/services/gen/payments/v1"
)

// grace is how long calls in flight may take to end once the program was told
// to stop.
const grace = 500 * time.Millisecond

func main() {
	port := flag.Int("port", 50062, "where to listen on 127.0.0.1; 0 is any free port")
	directory := flag.String("data", "", "keep state in this directory")
	flag.Parse()
	if err := run(*port, *directory); err != nil {
		log.Fatal(err)
	}
}

func run(port int, directory string) error {
	db, err := openStore(directory)
	if err != nil {
		return err
	}
	defer db.Close()

	server := grpc.NewServer()
	paymentsv1.RegisterPaymentsServer(server, &paymentsServer{db: db})
	ledgerv1.RegisterLedgerServer(server, &ledgerServer{db: db})
	healthServer := health.NewServer()
	for name := range server.GetServiceInfo() {
		healthServer.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	healthv1.RegisterHealthServer(server, healthServer)
	reflection.Register(server)

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	fmt.Printf("listening %s\n", listener.Addr())

	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-told
		healthServer.Shutdown()
		impatience := time.AfterFunc(grace, server.Stop)
		defer impatience.Stop()
		server.GracefulStop()
	}()
	return server.Serve(listener)
}

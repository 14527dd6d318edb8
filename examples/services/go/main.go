// The example services that are written in Go.
//
//	go run . --port 50062 --data DIR --tls-cert FILE --tls-key FILE --tls-client-ca FILE
//
// --port 0 is any free port. Without --data, what they know is gone with the
// program; without --tls-cert, they speak plain text.
package main

import (
	"context"
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
	var files tlsFiles
	flag.StringVar(&files.cert, "tls-cert", "", "speak TLS, with this certificate")
	flag.StringVar(&files.key, "tls-key", "", "the certificate's key")
	flag.StringVar(&files.clientCA, "tls-client-ca", "",
		"ask clients for a certificate that this authority signed")
	flag.Parse()
	if err := run(*port, *directory, files); err != nil {
		log.Fatal(err)
	}
}

func run(port int, directory string, files tlsFiles) error {
	transport, err := files.credentials()
	if err != nil {
		return err
	}
	db, err := openStore(directory)
	if err != nil {
		return err
	}
	defer db.Close()

	tracing, endTracing, err := startTracing(context.Background())
	if err != nil {
		return err
	}

	streams := &openStreams{open: map[*ledgerv1.Stream]struct{}{}}
	options := append(tracing, grpc.Creds(transport), grpc.StreamInterceptor(streams.intercept))
	server := grpc.NewServer(options...)
	paymentsv1.RegisterPaymentsServer(server, &paymentsServer{db: db})
	ledgerv1.RegisterLedgerServer(server, &ledgerServer{db: db, streams: streams})
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
	if err := server.Serve(listener); err != nil {
		return err
	}
	ending, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := endTracing(ending); err != nil {
		log.Print(err) // a collector that is away is no failure of the services
	}
	return nil
}

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// tlsFiles are the names of PEM files. Without a certificate the program speaks
// plain text; with a client CA, a client has to show a certificate that it
// signed.
type tlsFiles struct {
	cert, key, clientCA string
}

func (files tlsFiles) credentials() (credentials.TransportCredentials, error) {
	if files == (tlsFiles{}) {
		return insecure.NewCredentials(), nil
	}
	if files.cert == "" || files.key == "" {
		return nil, errors.New("TLS needs both --tls-cert and --tls-key")
	}
	certificate, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if files.clientCA != "" {
		pem, err := os.ReadFile(files.clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", files.clientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return credentials.NewTLS(config), nil
}

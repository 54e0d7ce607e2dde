package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"accrete.example/accrete"
)

// Goes on with another connection; without an address, with one as at first.
func (r *runner) connect(step object) error {
	var options []accrete.Option
	if token := text(step["token"]); token != "" {
		options = append(options, accrete.WithToken(token))
	}
	if path := text(step["ca"]); path != "" {
		config, err := tlsConfig(step)
		if err != nil {
			return err
		}
		options = append(options, accrete.WithTLS(config))
	}
	client, err := accrete.Connect(text(step["address"]), options...)
	if err != nil {
		return err
	}
	err = r.client.Close()
	r.client = client
	return err
}

func tlsConfig(step object) (*tls.Config, error) {
	pem, err := os.ReadFile(text(step["ca"]))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", step["ca"])
	}
	if path := text(step["certificate"]); path != "" {
		certificate, err := tls.LoadX509KeyPair(path, text(step["key"]))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

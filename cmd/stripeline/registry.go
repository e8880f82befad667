package main

import (
	"crypto/tls"
	"crypto/x509"
	"strings"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

// registry makes the client of the settings' registry. Nothing is sent yet.
func (a *app) registry() (pipeline.RegistryClient, error) {
	s := a.settings
	password, err := a.secret(s.RegistryPasswordFile, "STRIPELINE_REGISTRY_PASSWORD")
	if err != nil {
		return pipeline.RegistryClient{}, err
	}
	token, err := a.secret(s.RegistryTokenFile, "STRIPELINE_REGISTRY_TOKEN")
	if err != nil {
		return pipeline.RegistryClient{}, err
	}
	security, err := s.registryTLS()
	if err != nil {
		return pipeline.RegistryClient{}, err
	}
	c, err := client.Open(client.Config{
		URLs: strings.Split(s.Registry, ","), User: s.RegistryUser, Password: password, Bearer: token, TLS: security, Attempts: registryAttempts,
	})
	if err != nil {
		return pipeline.RegistryClient{}, usagef("%w: mend --registry and its settings", err)
	}
	return pipeline.RegistryClient{Client: c}, nil
}

// registryAttempts bounds how long a person waits for a registry that is not there.
const registryAttempts = 3

// subjects is the registry as the row journeys see it.
func (a *app) subjects() (pipeline.Subjects, error) { return a.registry() }

func (s settings) registryTLS() (*tls.Config, error) {
	if s.RegistryCA == "" && s.RegistryCert == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	ca, err := pemFile("--registry-ca", s.RegistryCA)
	if err != nil {
		return nil, err
	}
	if ca != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, usagef("--registry-ca: no certificate in %s: name a PEM file", s.RegistryCA)
		}
	}
	if s.RegistryCert != "" {
		pair, err := tls.LoadX509KeyPair(s.RegistryCert, s.RegistryKey)
		if err != nil {
			return nil, usagef("--registry-cert: %w: name PEM files of certificate and key", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

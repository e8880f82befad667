package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// certify writes a certificate for the loopback address, which is its own authority, and gives the names of its files.
func certify(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// htpasswd writes a file with one user, whose password is the name.
func htpasswd(t *testing.T, user string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(user), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), user)
	write(t, name, user+":"+string(hash)+"\n")
	return name
}

// served is `stripeline registry` in this process.
type served struct {
	facts map[string]any
	stop  func() (code int, errs string)
}

// serveVerb runs the verb until it serves, or gives its exit code and what it complained of.
func serveVerb(t *testing.T, args ...string) (s served, code int, errs string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	out, in := io.Pipe()
	complaints := &bytes.Buffer{}
	ended := make(chan int, 1)
	go func() {
		a := newApp(stdio{out: in, err: complaints}, func(string) (string, bool) { return "", false })
		ended <- a.execute(ctx, append([]string{"registry", "--json", "--listen", "127.0.0.1:0"}, args...))
		in.Close()
	}()
	s.stop = func() (int, string) {
		cancel(errInterrupted)
		return <-ended, complaints.String()
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		cancel(nil)
		return s, <-ended, complaints.String()
	}
	if err := json.Unmarshal(line, &s.facts); err != nil {
		t.Fatal(err)
	}
	return s, exitDone, ""
}

// TestRegistryVerbKeepsStrangersOut: TLS, readers and writers, a follower that passes credentials on, limits, and a stop that is no failure.
func TestRegistryVerbKeepsStrangersOut(t *testing.T) {
	cert, key := certify(t)
	flags := []string{"--brokers", brokertest.Fake(t).ListenAddrs()[0], "--listen-cert", cert, "--listen-key", key, "--registry-ca", cert,
		"--users-read", htpasswd(t, "reader"), "--users-write", htpasswd(t, "writer"), "--max-schema", "2000", "--max-body", "4000"}
	var instances [2]served
	for i := range instances {
		var code int
		var errs string
		if instances[i], code, errs = serveVerb(t, flags...); code != exitDone {
			t.Fatalf("instance %d: exit %d %s", i, code, errs)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	ask := func(instance int, who, verb, body string) (int, string) {
		method, path, _ := strings.Cut(verb, " ")
		request, _ := http.NewRequest(method, instances[instance].facts["registry"].(string)+path, strings.NewReader(body))
		if who != "" {
			request.SetBasicAuth(who, who)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	awaitLeader(t, func() bool {
		for i := range instances {
			if status, _ := ask(i, "writer", "PUT /config", `{"compatibility":"FULL"}`); status != http.StatusOK {
				return false
			}
		}
		return true
	})
	for _, c := range []struct {
		who, verb, body string
		want            int
	}{
		{"", "GET /healthz", "", 200},
		{"", "GET /readyz", "", 200},
		{"", "GET /subjects", "", 401},
		{"nobody", "GET /subjects", "", 401},
		{"reader", "GET /subjects", "", 200},
		{"reader", "GET /metrics", "", 200},
		{"reader", "POST /subjects/s/versions", `{"schema":"\"int\""}`, 403},
		{"writer", "POST /subjects/s/versions", `{"schema":"\"int\""}`, 200},
		{"writer", "POST /subjects/s/versions", `{"schema":"` + strings.Repeat(" ", 3000) + `\"int\""}`, 422},
		{"writer", "POST /subjects/s/versions", `{"schema":"` + strings.Repeat(" ", 5000) + `\"int\""}`, 422},
		{"writer", "PUT /config", strings.Repeat(" ", 5000) + `{"compatibility":"FULL"}`, 413},
	} {
		for i := range instances {
			if status, text := ask(i, c.who, c.verb, c.body); status != c.want {
				t.Errorf("instance %d: %s as %q: %d %.200s, want %d", i, c.verb, c.who, status, text, c.want)
			}
		}
	}
	for i := range instances {
		if code, errs := instances[i].stop(); code != exitInterrupted || !strings.Contains(errs, "interrupted") {
			t.Errorf("instance %d: exit %d %q", i, code, errs)
		}
	}
}

func awaitLeader(t *testing.T, leads func() bool) {
	t.Helper()
	patience, tick := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !leads() {
		select {
		case <-tick.C:
		case <-patience:
			t.Fatal("nobody leads")
		}
	}
}

func TestRegistryVerbSaysWhatToMend(t *testing.T) {
	brokers := brokertest.Fake(t).ListenAddrs()[0]
	cluster := brokertest.Connect(t, kafka.Config{Brokers: []string{brokers}})
	for _, topic := range []kafka.Topic{
		{Name: "wide", Partitions: 3, Configs: map[string]string{kafka.CleanupPolicy: "compact"}},
		{Name: "fleeting", Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "delete"}},
	} {
		if err := cluster.Create(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain")
	write(t, plain, "user:password\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--topic", "wide"}, exitFailed, "wide has 3 partitions"},
		{[]string{"--topic", "fleeting"}, exitFailed, "--entity-name fleeting --add-config cleanup.policy=compact"},
		{[]string{"--listen-cert", "x.pem"}, exitUsage, "belong together"},
		{[]string{"--listen-cert", "x.pem", "--listen-key", "x.key"}, exitUsage, "--listen-cert"},
		{[]string{"--users-read", plain}, exitUsage, "htpasswd -B"},
		{[]string{"--users-write", "nowhere"}, exitUsage, "--users-write"},
		{[]string{"--compatibility", "SOME"}, exitUsage, "--compatibility"},
		{[]string{"--listen", "127.0.0.1:x"}, exitFailed, "--listen"},
		{[]string{"--brokers", "127.0.0.1:1"}, exitFailed, "no broker reachable"},
	} {
		if c.args[0] != "--brokers" {
			c.args = append(c.args, "--brokers", brokers)
		}
		_, code, errs := serveVerb(t, c.args...)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d %q, want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}

// Package brokertest is in the pipeline room, for tests only: it gives them brokers. Without anything set, a test has a
// fake broker of its own, on disk in its temporary directory. With STRIPELINE_TEST_BROKERS set, all tests share the real
// brokers named there, under names that no other test has.
//
//	STRIPELINE_TEST_BROKERS         host:port,...      brokers for every test that does not inject faults
//	STRIPELINE_TEST_SASL_BROKERS    host:port,...      when set, their SASL_SSL listener, which is spoken to instead
//	STRIPELINE_TEST_SASL_MECHANISM  PLAIN, ...         SCRAM-SHA-512 when unset
//	STRIPELINE_TEST_SASL_USER       name
//	STRIPELINE_TEST_SASL_PASSWORD   password
//	STRIPELINE_TEST_SASL_CA         file with the authority's PEM
//	STRIPELINE_TEST_REGISTRY        URL                a schema registry in place of our own, for tests of whole journeys of rows
package brokertest

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"stripeline/pipeline/kafka"
)

// A member that dies in a test is missed after a session; real brokers take no shorter one than realSession.
const (
	fakeSession = 2 * time.Second
	realSession = 6 * time.Second
)

const (
	envBrokers     = "STRIPELINE_TEST_BROKERS"
	envMechanism   = "STRIPELINE_TEST_SASL_MECHANISM"
	envUser        = "STRIPELINE_TEST_SASL_USER"
	envPassword    = "STRIPELINE_TEST_SASL_PASSWORD"
	envCA          = "STRIPELINE_TEST_SASL_CA"
	envSASLBrokers = "STRIPELINE_TEST_SASL_BROKERS"
)

// Brokers gives the addresses of brokers for a test.
func Brokers(t testing.TB) []string {
	t.Helper()
	if list := os.Getenv(envBrokers); list != "" {
		return strings.Split(list, ",")
	}
	return Fake(t).ListenAddrs()
}

// Real says whether tests run against real brokers.
func Real() bool { return os.Getenv(envBrokers) != "" }

// Config gives the connection settings for a test, with a namespace that no other test has.
func Config(t testing.TB) kafka.Config {
	t.Helper()
	cfg := kafka.Config{Brokers: Brokers(t), Namespace: Name(t), Heartbeat: 200 * time.Millisecond, Session: fakeSession}
	if Real() {
		cfg.Session = realSession
	}
	brokers := os.Getenv(envSASLBrokers)
	if !Real() || brokers == "" {
		return cfg
	}
	mechanism := os.Getenv(envMechanism)
	if mechanism == "" {
		mechanism = "SCRAM-SHA-512"
	}
	cfg.Brokers = strings.Split(brokers, ",")
	cfg.SASL = kafka.SASL{Mechanism: mechanism, User: os.Getenv(envUser), Password: kafka.Secret(os.Getenv(envPassword))}
	cfg.TLS.Enabled = true
	if file := os.Getenv(envCA); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read %s: %v", envCA, err)
		}
		cfg.TLS.CA = string(pem)
	}
	return cfg
}

// Connect gives a cluster for a test, closed with it.
func Connect(t testing.TB, cfg kafka.Config) *kafka.Cluster {
	t.Helper()
	c, err := kafka.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Name gives a name that no other test has, fit for topics, groups and namespaces.
func Name(t testing.TB) string {
	t.Helper()
	var id [5]byte
	if _, err := rand.Read(id[:]); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(id[:])
}

// Topic makes a topic under a name that no other test has and gives the name.
func Topic(t testing.TB, c *kafka.Cluster, partitions int32, configs ...string) string {
	t.Helper()
	topic := kafka.Topic{Name: Name(t), Partitions: partitions, Configs: map[string]string{}}
	for i := 0; i+1 < len(configs); i += 2 {
		topic.Configs[configs[i]] = configs[i+1]
	}
	if err := c.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	return topic.Name
}

// Fake starts a broker of the test's own, for faults that only a fake can have. It keeps its log on disk and asks group
// members for a sign of life every 100 ms.
func Fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1),
		kfake.DataDir(t.TempDir()),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
		kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "100"}),
	}, opts...)...)
	if err != nil {
		t.Fatalf("start fake broker: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

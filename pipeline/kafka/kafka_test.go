package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestConnectSaysInOneLineWhatIsWrong(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	locked := brokertest.Fake(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "alice", "right"))
	cases := []struct {
		name string
		cfg  kafka.Config
		want error
		says string
	}{
		{"no broker", kafka.Config{Brokers: []string{gone.Addr().String()}}, kafka.ErrUnreachable, gone.Addr().String()},
		{"mute broker", kafka.Config{Brokers: []string{mute.Addr().String()}, ConnectTimeout: 300 * time.Millisecond}, kafka.ErrUnreachable, "no answer within 300ms"},
		{"wrong password", kafka.Config{Brokers: locked.ListenAddrs(), SASL: kafka.SASL{Mechanism: "SCRAM-SHA-256", User: "alice", Password: "hunter2"}}, kafka.ErrAuth, `user "alice"`},
		{"no password", kafka.Config{Brokers: locked.ListenAddrs(), ConnectTimeout: 2 * time.Second}, kafka.ErrUnreachable, locked.ListenAddrs()[0]},
		{"mechanism", kafka.Config{Brokers: locked.ListenAddrs(), SASL: kafka.SASL{Mechanism: "MD5"}}, kafka.ErrConfig, "SCRAM-SHA-512"},
		{"no brokers", kafka.Config{}, kafka.ErrConfig, "host:port"},
		{"bad ca", kafka.Config{Brokers: []string{"x:1"}, TLS: kafka.TLS{Enabled: true, CA: "rubbish"}}, kafka.ErrConfig, "PEM"},
		{"bad pair", kafka.Config{Brokers: []string{"x:1"}, TLS: kafka.TLS{Enabled: true, Cert: "a", Key: "hunter2"}}, kafka.ErrConfig, "certificate and key"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := kafka.Connect(within(t), tc.cfg)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			text := err.Error()
			if !strings.Contains(text, tc.says) || strings.Contains(text, "\n") || strings.Contains(text, "hunter2") {
				t.Errorf("says %q: one line with %q and no secret is wanted", text, tc.says)
			}
		})
	}
	ok := kafka.Config{Brokers: locked.ListenAddrs(), SASL: kafka.SASL{Mechanism: "SCRAM-SHA-256", User: "alice", Password: "right"}}
	brokertest.Connect(t, ok)
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	cfg := kafka.Config{
		Brokers: []string{"b:1"}, TLS: kafka.TLS{Key: "hunter2"},
		SASL: kafka.SASL{Mechanism: "PLAIN", User: "u", Password: "hunter2", Token: "hunter2"},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
		for _, value := range []any{cfg, &cfg, cfg.SASL, cfg.TLS, &cfg.SASL, cfg.SASL.Password} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
				t.Errorf("%s of %T shows the secret: %s", verb, value, text)
			}
		}
	}
	if text, _ := cfg.SASL.Password.MarshalText(); string(text) == "hunter2" {
		t.Error("MarshalText shows the secret")
	}
	if cfg.SASL.Password.Reveal() != "hunter2" || cfg.LogValue().String() == "" {
		t.Error("the secret cannot be revealed, or the config not logged")
	}
}

func TestEnsureMakesAndChecksTopics(t *testing.T) {
	c := brokertest.Connect(t, brokertest.Config(t))
	want := kafka.Topic{Name: brokertest.Name(t), Partitions: 3, Configs: map[string]string{
		kafka.CleanupPolicy: "delete", kafka.RetentionMS: "-1", kafka.MaxMessageBytes: "2000000",
	}}
	for range 2 {
		if err := c.Ensure(within(t), want); err != nil {
			t.Fatal(err)
		}
	}
	info, states, err := c.Describe(within(t), want.Name)
	if err != nil || info.Partitions != 3 || info.MaxMessageBytes != 2000000 || info.ID == [16]byte{} || len(states) != 3 {
		t.Errorf("topic is %+v, %+v (%v)", info, states, err)
	}
	wrong := map[string]func(*kafka.Topic){
		"count":   func(w *kafka.Topic) { w.Partitions = 4 },
		"cleanup": func(w *kafka.Topic) { w.Configs = map[string]string{kafka.CleanupPolicy: "compact"} },
		"time":    func(w *kafka.Topic) { w.Configs = map[string]string{kafka.RetentionMS: "1000"} },
		"size":    func(w *kafka.Topic) { w.Configs = map[string]string{kafka.MaxMessageBytes: "3000000"} },
	}
	for name, change := range wrong {
		other := want
		change(&other)
		if err := c.Ensure(within(t), other); !errors.Is(err, kafka.ErrWrongTopic) {
			t.Errorf("%s: %v, want ErrWrongTopic", name, err)
		}
	}
	if err := c.Delete(within(t), want.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Identify(within(t), want.Name); !errors.Is(err, kafka.ErrUnknownTopic) {
		t.Errorf("deleted topic: %v, want ErrUnknownTopic", err)
	}
}

func TestProducerPartitionsByKeyOrAsAsked(t *testing.T) {
	c := brokertest.Connect(t, brokertest.Config(t))
	keyed, manual := brokertest.Topic(t, c, 5), brokertest.Topic(t, c, 2)
	p, err := c.NewProducer(kafka.ProducerConfig{Manual: []string{manual}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := range 20 {
		key := []byte(fmt.Sprint("key-", i))
		a, b := &kafka.Record{Topic: keyed, Key: key}, &kafka.Record{Topic: manual, Key: key, Partition: int32(i % 4)}
		if err := p.ProduceSync(within(t), a, b); err != nil {
			t.Fatal(err)
		}
		if want := schemas.Partition(key, 5); a.Partition != want {
			t.Errorf("%s went to %d, murmur2 says %d", key, a.Partition, want)
		}
		if want := int32(i%4) % 2; b.Partition != want {
			t.Errorf("asked for %d modulo 2, went to %d", i%4, b.Partition)
		}
	}
	big := &kafka.Record{Topic: keyed, Value: make([]byte, 2<<20)}
	if err := p.ProduceSync(within(t), big); !errors.Is(err, kafka.ErrTooLarge) {
		t.Errorf("2 MiB record: %v, want ErrTooLarge", err)
	}
}

func TestReaderPositionReachesStableEndBehindMarkers(t *testing.T) {
	c := brokertest.Connect(t, brokertest.Config(t))
	topic := brokertest.Topic(t, c, 1)
	tx, err := c.NewTransactor(within(t), c.Name("tx"))
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	for i := range 3 {
		if err := tx.Begin(); err != nil {
			t.Fatal(err)
		}
		tx.Produce(within(t), &kafka.Record{Topic: topic, Value: []byte{byte(i)}}, nil)
		end := tx.Commit
		if i == 2 {
			end = tx.Abort
		}
		if err := end(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	ends, err := c.StableEnds(within(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: map[int32]int64{0: kafka.Start}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []byte
	for r.Position(0) < ends[0] {
		records, err := r.Poll(within(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			got = append(got, rec.Value...)
		}
	}
	if string(got) != "\x00\x01" {
		t.Errorf("read %v, want what was committed: [0 1]", got)
	}
}

func TestReaderStaysWhereItIsWhenOutOfRange(t *testing.T) {
	c := brokertest.Connect(t, brokertest.Config(t))
	topic := brokertest.Topic(t, c, 2)
	r, err := c.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: map[int32]int64{1: 7}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var part *kafka.PartitionError
	if _, err := r.Poll(within(t)); !errors.Is(err, kafka.ErrOutOfRange) || !errors.As(err, &part) || part.Partition != 1 {
		t.Errorf("got %v, want ErrOutOfRange of partition 1", err)
	}
	if r.Position(1) != 7 {
		t.Errorf("position moved to %d", r.Position(1))
	}
}

func TestTransactorFencesItsFormerHolder(t *testing.T) {
	c := brokertest.Connect(t, brokertest.Config(t))
	topic := brokertest.Topic(t, c, 1)
	old, err := c.NewTransactor(within(t), c.Name("tx"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := old.Begin(); err != nil {
		t.Fatal(err)
	}
	old.Produce(within(t), &kafka.Record{Topic: topic, Value: []byte("old")}, nil)
	young, err := c.NewTransactor(within(t), c.Name("tx"))
	if err != nil {
		t.Fatal(err)
	}
	defer young.Close()
	if err := old.Commit(within(t)); !errors.Is(err, kafka.ErrFenced) {
		t.Errorf("zombie commits: %v, want ErrFenced", err)
	}
	if err := old.Begin(); !errors.Is(err, kafka.ErrFenced) {
		t.Errorf("zombie begins again: %v, want ErrFenced", err)
	}
	if err := young.Begin(); err != nil {
		t.Fatal(err)
	}
	young.Produce(within(t), &kafka.Record{Topic: topic, Value: []byte("young")}, nil)
	if err := young.Commit(within(t)); err != nil {
		t.Errorf("holder cannot commit after the zombie tried: %v", err)
	}
}

func TestClientMetricsOfManyClients(t *testing.T) {
	cfg := brokertest.Config(t)
	registry := prometheus.NewPedanticRegistry()
	cfg.Registerer = registry
	c := brokertest.Connect(t, cfg)
	topic := brokertest.Topic(t, c, 1)
	for range 3 {
		p, err := c.NewProducer(kafka.ProducerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.ProduceSync(within(t), &kafka.Record{Topic: topic}); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil || len(families) == 0 {
		t.Errorf("%d metric families (%v)", len(families), err)
	}
}

package embedded

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBadFramesEndOnlyTheirConnection(t *testing.T) {
	b := open(t, Options{})
	frame := func(size uint32, key uint16) []byte {
		f := binary.BigEndian.AppendUint32(nil, size)
		f = binary.BigEndian.AppendUint16(f, key)
		return append(f, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
	}
	for name, bytes := range map[string][]byte{
		"unknown key":   frame(10, 32000),
		"negative key":  frame(10, 0xfffe),
		"too small":     frame(9, 18),
		"too large":     frame(MaxFrame+1, 0),
		"negative size": frame(0xffffffff, 0),
		"http":          []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	} {
		c := connect(t, b)
		if _, err := c.Write(bytes); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); !cutOff(err) {
			t.Errorf("%s: read %d, %v: want the end of the connection", name, n, err)
		}
	}
	if err := dial(t, b).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// cutOff tells a closed or reset connection from one that says nothing.
func cutOff(err error) bool {
	var silent net.Error
	return err != nil && (errors.Is(err, io.EOF) || !errors.As(err, &silent) || !silent.Timeout())
}

func TestFramesMayComeInPieces(t *testing.T) {
	b := open(t, Options{})
	c := connect(t, b)
	ask := []byte{0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff}
	for round := range 2 {
		for _, piece := range ask {
			if _, err := c.Write([]byte{piece}); err != nil {
				t.Fatal(err)
			}
		}
		head := make([]byte, 10)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if id := binary.BigEndian.Uint32(head[4:]); id != 1 {
			t.Fatalf("correlation id %d, want 1", id)
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head))-6); err != nil {
			t.Fatal(err)
		}
	}
}

func connect(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends a request in exactly the version that it carries.
func ask[R kmsg.Response](t *testing.T, b *Broker, req kmsg.Request) R {
	t.Helper()
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test"))
	c := connect(t, b)
	if _, err := c.Write(format.AppendRequest(nil, req, 7)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	resp := req.ResponseKind()
	if resp.IsFlexible() && resp.Key() != kmsg.ApiVersions.Int16() {
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	return resp.(R)
}

func TestVersionThreeHasNoZeroFeatures(t *testing.T) {
	b := open(t, Options{})
	versions := func(v int16) *kmsg.ApiVersionsResponse {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
		req.SetVersion(v)
		return ask[*kmsg.ApiVersionsResponse](t, b, req)
	}
	zero := 0
	for _, f := range versions(4).SupportedFeatures {
		if f.MinVersion == 0 {
			zero++
		}
	}
	if zero == 0 {
		t.Error("version 4 names no feature with minimum 0: the guard has nothing to do")
	}
	for range 2 {
		old := versions(3)
		for _, k := range old.ApiKeys {
			if k.ApiKey == kmsg.DescribeTopicPartitions.Int16() {
				t.Error("offers DescribeTopicPartitions, whose answer Java cannot read")
			}
		}
		for _, f := range old.SupportedFeatures {
			if f.MinVersion == 0 {
				t.Errorf("version 3 names feature %s with minimum 0", f.Name)
			}
		}
		if len(old.ApiKeys) != len(versions(4).ApiKeys) || old.ErrorCode != 0 {
			t.Errorf("version 3 names %d keys, error %d", len(old.ApiKeys), old.ErrorCode)
		}
	}
}

func TestCreateTopicsAnswers(t *testing.T) {
	b := open(t, Options{Topics: one("there")})
	assign := func(parts ...int32) (out []kmsg.CreateTopicsRequestTopicReplicaAssignment) {
		for _, p := range parts {
			out = append(out, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: p, Replicas: []int32{0}})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		parts  int32
		factor int16
		assign []kmsg.CreateTopicsRequestTopicReplicaAssignment
		want   *kerr.Error
		made   int32
	}{
		{name: "plain", parts: 3, factor: 1, made: 3},
		{name: "defaults", parts: -1, factor: -1, made: defaultPartitions},
		{name: "assigned", parts: -1, factor: -1, assign: assign(1, 0), made: 2},
		{name: "gap", parts: -1, factor: -1, assign: assign(0, 2), want: kerr.InvalidReplicaAssignment},
		{name: "both", parts: 1, factor: 1, assign: assign(0), want: kerr.InvalidRequest},
		{name: "three", parts: 1, factor: 3, want: kerr.InvalidReplicationFactor},
		{name: "none", parts: 1, factor: 0, want: kerr.InvalidReplicationFactor},
		{name: "empty", parts: 0, factor: 1, want: kerr.InvalidPartitions},
		{name: "bad/name", parts: 1, factor: 1, want: kerr.InvalidTopicException},
		{name: "there", parts: 1, factor: 1, want: kerr.TopicAlreadyExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := kmsg.NewPtrCreateTopicsRequest()
			topic := kmsg.NewCreateTopicsRequestTopic()
			topic.Topic, topic.NumPartitions, topic.ReplicationFactor, topic.ReplicaAssignment = c.name, c.parts, c.factor, c.assign
			req.Topics = append(req.Topics, topic)
			req.SetVersion(7)
			for _, validate := range []bool{true, false} {
				req.ValidateOnly = validate
				got := ask[*kmsg.CreateTopicsResponse](t, b, req).Topics[0]
				judgeCreated(t, b, got, c.made)
				if there := b.cluster.TopicInfo(c.name) != nil; c.want == nil && there == validate {
					t.Errorf("validate only: %v, topic there: %v", validate, there)
				}
				if err := kerr.ErrorForCode(got.ErrorCode); err != nil && err != error(c.want) || err == nil && c.want != nil {
					t.Errorf("validate %v: %v, want %v", validate, err, c.want)
				}
			}
		})
	}
}

func judgeCreated(t *testing.T, b *Broker, got kmsg.CreateTopicsResponseTopic, parts int32) {
	t.Helper()
	info := b.cluster.TopicInfo(got.Topic)
	if got.ErrorCode != 0 {
		if got.ErrorMessage == nil {
			t.Error("refused without a word")
		}
		return
	}
	if got.Configs == nil || got.NumPartitions != parts || got.ReplicationFactor != 1 {
		t.Errorf("answered %d partitions, factor %d, configs %v; want %d, 1 and a list", got.NumPartitions, got.ReplicationFactor, got.Configs, parts)
	}
	if info != nil && (got.TopicID != info.TopicID || len(b.cluster.PartitionInfos(got.Topic)) != int(parts)) {
		t.Errorf("topic id %x, want %x", got.TopicID, info.TopicID)
	}
}

func TestEpochsReachTheEnd(t *testing.T) {
	b := open(t, Options{Topics: one("t")})
	fill(t, b, "t", 5)
	if err := b.cluster.MoveTopicPartition("t", 0, 0); err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	topic := kmsg.NewOffsetForLeaderEpochRequestTopic()
	topic.Topic = "t"
	for p := range int32(2) {
		part := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		part.Partition = p
		topic.Partitions = append(topic.Partitions, part)
	}
	req.Topics = append(req.Topics, topic)
	req.ReplicaID = -1
	req.SetVersion(4)
	got := ask[*kmsg.OffsetForLeaderEpochResponse](t, b, req).Topics[0].Partitions
	if got[0].ErrorCode != 0 || got[0].LeaderEpoch != 0 || got[0].EndOffset != 5 {
		t.Errorf("epoch %d ends at %d (error %d), want epoch 0 to end at 5", got[0].LeaderEpoch, got[0].EndOffset, got[0].ErrorCode)
	}
	if got[1].ErrorCode != kerr.UnknownTopicOrPartition.Code {
		t.Errorf("error %d for an unknown partition", got[1].ErrorCode)
	}
}

func TestAdvertise(t *testing.T) {
	for _, c := range []struct{ bound, want, host string }{
		{"127.0.0.1:9092", "", "127.0.0.1:9092"},
		{"127.0.0.1:9092", "broker", "broker:9092"},
		{"[::]:9092", "broker:19092", "broker:19092"},
		{"[::]:9092", "fe00::1", "[fe00::1]:9092"},
		{"[::]:9092", "", net.JoinHostPort(reachable(), "9092")},
		{"0.0.0.0:9092", "", net.JoinHostPort(reachable(), "9092")},
	} {
		if got, err := advertise(c.bound, c.want); err != nil || got.String() != c.host {
			t.Errorf("advertise(%q, %q) = %v, %v; want %s", c.bound, c.want, got, err, c.host)
		}
	}
}

func TestBoundToAllAdvertisesOne(t *testing.T) {
	b := open(t, Options{Addr: "0.0.0.0:0"})
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), dial(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if ip := net.ParseIP(resp.Brokers[0].Host); ip == nil || ip.IsUnspecified() {
		t.Errorf("advertises %q", resp.Brokers[0].Host)
	}
	if err := dial(t, b, kgo.SeedBrokers(net.JoinHostPort("127.0.0.1", port(t, b)))).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func port(t *testing.T, b *Broker) string {
	t.Helper()
	_, p, err := net.SplitHostPort(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSettings(t *testing.T) {
	b := open(t, Options{MessageBytes: 1 << 20, SegmentBytes: 1 << 21})
	told, err := kadm.NewClient(dial(t, b)).DescribeBrokerConfigs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, c := range told[0].Configs {
		got[c.Key] = c.MaybeValue()
	}
	for key, want := range map[string]string{
		"message.max.bytes": "1048576", "log.segment.bytes": "2097152", "log.retention.ms": "-1", "group.consumer.heartbeat.interval.ms": "200",
		"offsets.retention.minutes": tenYears,
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

func TestNearlyFullDiskTakesNoRecords(t *testing.T) {
	for _, c := range []struct {
		keep int64
		want *kerr.Error
	}{{1 << 62, kerr.KafkaStorageError}, {1, nil}} {
		b := open(t, Options{Topics: one("t"), KeepFree: c.keep})
		cl := dial(t, b, kgo.RecordRetries(2), kgo.DisableIdempotentWrite(), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }))
		err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("v")}).FirstErr()
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("with %d bytes to keep free: %v, want %v", c.keep, err, c.want)
		}
		if _, end := span(t, b, "t"); (end == 0) != (c.want != nil) {
			t.Errorf("with %d bytes to keep free the log ends at %d", c.keep, end)
		}
	}
}

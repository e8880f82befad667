package pipeline

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// wrongPacket is a record on the packets topic as a stranger's program may send it, and the code of its reject.
type wrongPacket struct {
	code   string
	change func(*schemas.Packet) // of a good packet; nil = none
	record func(*kafka.Record)   // of the good packet's record, partition murmur2(key); nil = none
}

func wrongPackets() map[string]wrongPacket {
	return map[string]wrongPacket{
		"garbage":   {code: "framing", record: func(r *kafka.Record) { r.Value = []byte("not a packet") }},
		"no value":  {code: "framing", record: func(r *kafka.Record) { r.Value = nil }},
		"cut off":   {code: "avro", record: func(r *kafka.Record) { r.Value = r.Value[:len(r.Value)-1] }},
		"partition": {code: "partition", record: func(r *kafka.Record) { r.Partition = (r.Partition + 1) % DefaultShape().Partitions }},
		"key": {code: "key", record: func(r *kafka.Record) {
			r.Key = slices.Clone(r.Key)
			r.Key[0] ^= 1
			r.Partition = schemas.Partition(r.Key, DefaultShape().Partitions)
		}},
		"chunk checksum": {code: "checksum", change: func(p *schemas.Packet) { p.Checksums[0] ^= 1 }},
		"payload":        {code: "checksum", change: func(p *schemas.Packet) { p.Payload[5000] ^= 1 }},
		"whole checksum": {code: "crc", change: func(p *schemas.Packet) { p.CRC ^= 1 }},
		"policy":         {code: "policy", change: func(p *schemas.Packet) { p.Policy = "RS-1" }},
		"stripe":         {code: "stripe", change: func(p *schemas.Packet) { p.Stripe, p.Path = schemas.MaxStripes, "" }},
	}
}

func goodPacket(seed byte) schemas.Packet {
	payload := content(seed, 100_000)
	return schemas.Packet{Kind: schemas.PacketData, Block: schemas.NewFileID().Block(0), Generation: 1, Policy: "XOR-2-1-64k", FileLength: -1,
		CRC: schemas.CRC(payload), Path: "/by/hand", Checksums: schemas.AppendSums(nil, payload), Payload: payload}
}

// TestWrongPacketsAreKeptWithTheirReason sends what no writer of ours would, and then a file through every partition.
func TestWrongPacketsAreKeptWithTheirReason(t *testing.T) {
	d := startStack(t, 3)
	topic := d.Site.Cluster.Name(schemas.TopicPackets)
	producer, err := d.Site.Cluster.NewProducer(kafka.ProducerConfig{Manual: []string{topic}})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	sent := map[string]*kafka.Record{}
	for name, wrong := range wrongPackets() {
		packet := goodPacket(byte(len(sent)))
		if wrong.change != nil {
			wrong.change(&packet)
		}
		value, err := d.Site.Codecs.Packets.Append(nil, &packet)
		if err != nil {
			t.Fatal(err)
		}
		record := &kafka.Record{Topic: topic, Key: packet.Block[:], Value: value, Partition: schemas.Partition(packet.Block[:], DefaultShape().Partitions)}
		if wrong.record != nil {
			wrong.record(record)
		}
		if err := producer.ProduceSync(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		sent[name] = record
	}
	rejects := readRejects(t, d, topic+".rejects", len(sent))
	for name, record := range sent {
		i := slices.IndexFunc(rejects, func(r *kafka.Record) bool {
			return bytes.Equal(r.Value, record.Value) && bytes.Equal(r.Key, record.Key)
		})
		if i < 0 {
			t.Errorf("%s: not among the rejects as it was sent", name)
			continue
		}
		code, reason := header(rejects[i], flow.HeaderCode), header(rejects[i], flow.HeaderMessage)
		if code != wrongPackets()[name].code || reason == "" {
			t.Errorf("%s: code %q (want %q), reason %q", name, code, wrongPackets()[name].code, reason)
		}
	}
	for i := range 4 * DefaultShape().Partitions {
		b := content(byte(i), 70_000)
		mustPut(t, d.Site, PutOptions{Path: "/v/" + strings.Repeat("x", int(i)+1), Policy: "XOR-2-1-64k"}, b)
	}
}

func header(r *kafka.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// readRejects waits for so many rejects.
func readRejects(t *testing.T, d *Dev, topic string, count int) []*kafka.Record {
	t.Helper()
	from, err := fromStart(t.Context(), d.cluster, topic)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := d.cluster.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: maps.Clone(from)})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []*kafka.Record
	for len(all) < count {
		records, err := reader.Poll(ctx)
		if err != nil {
			t.Fatalf("%d of %d rejects: %v", len(all), count, err)
		}
		all = append(all, records...)
	}
	return all
}

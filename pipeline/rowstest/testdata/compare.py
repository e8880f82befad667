"""compare.py FILE BROKERS REGISTRY TOPIC NULL: compares every value of a CSV file with the topic that it was sent to, row by row.

The file is read by csv, the topic by confluent-kafka with fastavro behind its AvroDeserializer; a record names its line in the header "line".
"""
import csv
import datetime
import gzip
import json
import sys

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

name, brokers, registry, topic, null = sys.argv[1:6]


def meaning(kind):
    if isinstance(kind, list):
        return meaning([k for k in kind if k != "null"][0])
    if isinstance(kind, dict):
        kind = kind.get("logicalType", kind["type"])
    return {
        "int": int, "long": int, "double": float, "string": str,
        "timestamp-millis": lambda s: datetime.datetime.fromisoformat(s.replace("Z", "+00:00")),
    }[kind]


client = SchemaRegistryClient({"url": registry})
schema = json.loads(client.get_latest_version(topic + "-value").schema.schema_str)
meanings = {f["name"]: meaning(f["type"]) for f in schema["fields"]}

rows = {}
with (gzip.open if name.endswith(".gz") else open)(name, "rt", encoding="utf-8", newline="") as text:
    reader = csv.reader(text)
    header = next(reader)
    line = reader.line_num + 1
    for cells in reader:
        rows[line] = {h: None if c == null else meanings[h](c) for h, c in zip(header, cells, strict=True)}
        line = reader.line_num + 1

consumer = Consumer({"bootstrap.servers": brokers, "group.id": "compare", "enable.auto.commit": False, "isolation.level": "read_committed",
                     "enable.partition.eof": True})
parts = consumer.list_topics(topic, 20).topics[topic].partitions
consumer.assign([TopicPartition(topic, p, 0) for p in parts])
read = AvroDeserializer(client)
context = SerializationContext(topic, MessageField.VALUE)
count, at_end, wrong = len(rows), set(), 0
while len(at_end) < len(parts):
    for msg in consumer.consume(10000, 0.5):
        if msg.error():
            if msg.error().name() != "_PARTITION_EOF":
                sys.exit(str(msg.error()))
            at_end.add(msg.partition())
            continue
        line = int(dict(msg.headers())["line"])
        want, got = rows.pop(line, None), read(msg.value(), context)
        if got != want:
            wrong += 1
            print(f"line {line}: {want} arrived as {got}", file=sys.stderr)
            if wrong == 10:
                sys.exit(1)
consumer.close()
if wrong or rows:
    sys.exit(f"{wrong} rows differ, {len(rows)} have not arrived")
print(f"{count} rows, all the same")

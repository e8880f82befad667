"""decode.py BROKERS REGISTRY TOPIC: prints every record of a topic as sorted lines of JSON, read by Confluent's AvroDeserializer; keys may be text."""
import json
import sys

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, registry, topic = sys.argv[1:4]
read = AvroDeserializer(SchemaRegistryClient({"url": registry}))
consumer = Consumer({"bootstrap.servers": brokers, "group.id": "decode", "enable.auto.commit": False, "isolation.level": "read_committed",
                     "enable.partition.eof": True})
parts = consumer.list_topics(topic, 20).topics[topic].partitions
consumer.assign([TopicPartition(topic, p, 0) for p in parts])
lines, at_end = [], set()
while len(at_end) < len(parts):
    for msg in consumer.consume(1000, 0.5):
        if msg.error():
            if msg.error().name() != "_PARTITION_EOF":
                sys.exit(str(msg.error()))
            at_end.add(msg.partition())
            continue
        key = msg.key()
        if key is not None:
            key = key.decode() if key[0] else read(key, SerializationContext(topic, MessageField.KEY))
        lines.append(json.dumps([key, read(msg.value(), SerializationContext(topic, MessageField.VALUE))], separators=(",", ":")))
consumer.close()
print("\n".join(sorted(lines)))

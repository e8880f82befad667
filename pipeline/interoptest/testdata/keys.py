"""Avro keys and values under the subjects of each naming strategy, with confluent-kafka's serializers.

keys.py read BROKERS REGISTRY TOPIC N STRATEGY                prints N records as JSON lines {"key", "value"}; each is written again by the serializer,
                                                              which finds its schemas under the strategy's subjects alone, and must be the same bytes
keys.py write BROKERS REGISTRY TOPIC STRATEGY KEYS VALUES     sends the JSON lines {"key", "value"} of standard input, registering the schemas in two files
"""
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

strategies = {
    "topic": topic_subject_name_strategy,
    "record": record_subject_name_strategy,
    "topic-record": topic_record_subject_name_strategy,
}


class Side:
    """The keys or the values of a topic."""

    def __init__(self, client, topic, field, strategy):
        self.client, self.strategy = client, strategies[strategy]
        self.context = SerializationContext(topic, field)
        self.decode, self.encode = AvroDeserializer(client), None

    def again(self, data):
        found = self.decode(data, self.context)
        if self.encode is None:
            text = self.client.get_schema(int.from_bytes(data[1:5], "big")).schema_str
            conf = {"auto.register.schemas": False, "use.latest.version": True, "subject.name.strategy": self.strategy}
            self.encode = AvroSerializer(self.client, text, conf=conf)
        if self.encode(found, self.context) != data:
            sys.exit(f"the serializer writes other bytes for {found}")
        return found

    def registering(self, name):
        with open(name) as f:
            self.encode = AvroSerializer(self.client, f.read(), conf={"subject.name.strategy": self.strategy})
        return self


def sides(registry, topic, strategy):
    client = SchemaRegistryClient({"url": registry})
    return Side(client, topic, MessageField.KEY, strategy), Side(client, topic, MessageField.VALUE, strategy)


def read(brokers, registry, topic, n, strategy):
    key, value = sides(registry, topic, strategy)
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": topic + "-readers", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, p, 0) for p in consumer.list_topics(topic, 20).topics[topic].partitions])
    for _ in range(int(n)):
        message = consumer.poll(20)
        if message is None or message.error():
            sys.exit(f"nothing to read: {message and message.error()}")
        print(json.dumps({"key": key.again(message.key()), "value": value.again(message.value())}))
    consumer.close()


def write(brokers, registry, topic, strategy, keys, values):
    key, value = sides(registry, topic, strategy)
    key.registering(keys), value.registering(values)
    producer, failed = Producer({"bootstrap.servers": brokers, "acks": "all"}), []
    for line in sys.stdin:
        record = json.loads(line)
        producer.produce(
            topic, key=key.encode(record["key"], key.context), value=value.encode(record["value"], value.context),
            on_delivery=lambda error, _: error and failed.append(error))
    if producer.flush(20) or failed:
        sys.exit(f"not acked: {failed}")


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])

"""Avro rows and a schema registry, with confluent-kafka and fastavro.

avro.py read BROKERS REGISTRY TOPIC N          prints N values as JSON lines, each decoded twice
avro.py write BROKERS REGISTRY TOPIC SCHEMA    sends the JSON lines of standard input, typed by the schema in a file
avro.py registry REGISTRY SUBJECT FIRST WIDER BROKEN   registers versions and asks for them in every way
"""
import io
import json
import sys

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext


def read(brokers, registry, topic, n):
    client = SchemaRegistryClient({"url": registry})
    decode, context = AvroDeserializer(client), SerializationContext(topic, MessageField.VALUE)
    schema = fastavro.parse_schema(json.loads(client.get_latest_version(topic + "-value").schema.schema_str))
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": topic + "-readers", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, p, 0) for p in consumer.list_topics(topic, 20).topics[topic].partitions])
    for _ in range(int(n)):
        message = consumer.poll(20)
        if message is None or message.error():
            sys.exit(f"nothing to read: {message and message.error()}")
        row = decode(message.value(), context)
        if row != fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schema):
            sys.exit(f"AvroDeserializer and fastavro differ: {row}")
        print(json.dumps(row))
    consumer.close()


def write(brokers, registry, topic, schema):
    with open(schema) as f:
        encode = AvroSerializer(SchemaRegistryClient({"url": registry}), f.read())
    context, failed = SerializationContext(topic, MessageField.VALUE), []
    producer = Producer({"bootstrap.servers": brokers, "acks": "all"})
    for line in sys.stdin:
        producer.produce(topic, value=encode(json.loads(line), context), on_delivery=lambda error, _: error and failed.append(error))
    if producer.flush(20) or failed:
        sys.exit(f"not acked: {failed}")


def registry(url, subject, first, wider, broken):
    ask = lambda: SchemaRegistryClient({"url": url})  # it remembers what it heard: a new one for each question
    found = {"first": ask().register_schema(subject, Schema(first, "AVRO"))}
    ask().set_compatibility(subject, "BACKWARD")
    found["wider"] = ask().register_schema(subject, Schema(wider, "AVRO"))
    try:
        ask().register_schema(subject, Schema(broken, "AVRO"))
        found["refused"] = False
    except SchemaRegistryError as e:
        found["refused"] = e.http_status_code == 409 and not ask().test_compatibility(subject, Schema(broken, "AVRO"))
    found["latest"] = ask().get_latest_version(subject).schema_id
    found["byVersion"] = ask().get_version(subject, 1).schema_id
    found["lookup"] = ask().lookup_schema(subject, Schema(first, "AVRO")).schema_id
    if json.loads(ask().get_schema(found["wider"]).schema_str) != json.loads(wider):
        sys.exit("another schema than was registered")
    print(json.dumps(found))


{"read": read, "write": write, "registry": registry}[sys.argv[1]](*sys.argv[2:])

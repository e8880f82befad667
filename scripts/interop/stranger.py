"""Writes a file into Stripeline with nothing of Stripeline: Kafka, Avro and CRC32C alone, from schemas/doc.go.

usage: stranger.py BROKERS REGISTRY NAMESPACE AVSC_DIR PATH FILE
"""

import io
import json
import os
import struct
import sys
import time
import urllib.request

import fastavro
import google_crc32c
from confluent_kafka import Consumer, Producer, TopicPartition

brokers, registry, namespace, avsc, path, source = sys.argv[1:]
policy, stripe_bytes, stripes_per_block = "RS-6-3-64k", 6 * 65536, 20


def crc32c(data):
    return google_crc32c.value(bytes(data))


def schema_of(topic, file):
    with open(os.path.join(avsc, file)) as f:
        text = f.read()
    body = json.dumps({"schema": text}).encode()
    url = f"{registry}/subjects/{namespace}.{topic}-value/versions"
    request = urllib.request.Request(url, body, {"Content-Type": "application/vnd.schemaregistry.v1+json"})
    number = json.load(urllib.request.urlopen(request))["id"]
    return number, fastavro.parse_schema(json.loads(text))


schemas = {t: schema_of(t, f) for t, f in
           {"packets": "packet.avsc", "commands": "command.avsc", "blocks": "block.avsc", "files": "file.avsc"}.items()}


def encode(topic, record):
    number, schema = schemas[topic]
    out = io.BytesIO()
    out.write(b"\0" + struct.pack(">I", number))
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


producer = Producer({"bootstrap.servers": brokers, "acks": "all", "enable.idempotence": True,
                     "partitioner": "murmur2_random", "message.max.bytes": 2 << 20})
failed = []


def send(topic, key, record):
    producer.produce(f"{namespace}.{topic}", key=key, value=encode(topic, record),
                     on_delivery=lambda error, _: error and failed.append(error))
    producer.poll(0)


def watch(topic):
    """A consumer at the end of every partition of the topic as it is now."""
    name = f"{namespace}.{topic}"
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "stranger", "enable.auto.commit": False,
                         "isolation.level": "read_committed"})
    partitions = consumer.list_topics(name, 10).topics[name].partitions
    ends = [TopicPartition(name, p, consumer.get_watermark_offsets(TopicPartition(name, p), 10)[1]) for p in partitions]
    consumer.assign(ends)
    return consumer


def records(consumer, topic, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None or message.error() or message.value() is None:
            continue
        yield message.key(), fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schemas[topic][1])
    sys.exit(f"nothing more on {topic} for {seconds} s")


def command(kind, **fields):
    blank = dict(id=os.urandom(16), kind=kind, path=path, to="", file=file_id, generation=0, policy="", blocks=0,
                 ifVersion=None, length=0, crc=0, extents=[], unused=[], metadata={}, time=int(time.time() * 1000))
    record = {**blank, **fields}
    parts = path.strip("/").split("/")
    send("commands", ("/" + (parts[0] if len(parts) > 1 else "")).encode(), record)
    producer.flush()
    for key, value in records(files, "files"):
        if key == b"command/" + record["id"].hex().encode():
            answer = value["answer"]
            if answer["code"] != "ok":
                sys.exit(f"{kind} refused: {answer['code']}: {answer['message']}")
            return answer


def packet(kind, block, **fields):
    blank = dict(kind=kind, block=block, generation=created["generation"], policy=policy, stripe=0, offset=0, crc=0, last=False,
                 fileLength=-1, path="", metadata={}, checksums=b"", payload=b"")
    send("packets", block, {**blank, **fields})


files, blocks = watch("files"), watch("blocks")
file_id = os.urandom(12)
with open(source, "rb") as f:
    content = f.read()
size = stripe_bytes * stripes_per_block
wanted = -(-len(content) // size)
created = command("CREATE", policy=policy, blocks=max(1, wanted))
numbers = [n for run in created["granted"] for n in range(run["first"], run["first"] + run["count"])]

extents, expected = [], {}
for number, start in zip(numbers, range(0, len(content), size)):
    part, block = content[start:start + size], file_id + struct.pack(">I", number)
    for stripe, at in enumerate(range(0, len(part), stripe_bytes)):
        payload = part[at:at + stripe_bytes]
        sums = b"".join(struct.pack(">I", crc32c(payload[i:i + 4096])) for i in range(0, len(payload), 4096))
        packet("DATA", block, stripe=stripe, offset=start + at, crc=crc32c(payload), checksums=sums, payload=payload,
               path=path if stripe == 0 else "")
    last = start + size >= len(content)
    packet("END", block, stripe=-(-len(part) // stripe_bytes), offset=start + len(part), crc=crc32c(part), last=last,
           fileLength=len(content) if last else -1, path=path if last else "")
    extents.append(dict(offset=start, block=block, blocks=1, blockOffset=0, length=len(part)))
    expected[block] = (len(part), crc32c(part))
producer.flush()
if failed:
    sys.exit(f"produce: {failed[0]}")

while expected:
    for key, value in records(blocks, "blocks"):
        block = value["block"]
        if key in expected and block["state"] in ("SEALED", "DEGRADED"):
            if (block["length"], block["crc"]) != expected.pop(key):
                sys.exit(f"block {key.hex()} closed with {block['length']} bytes")
            break

unused = [dict(first=n, count=1) for n in numbers[len(extents):]]
answer = command("COMMIT", generation=created["generation"], length=len(content), crc=crc32c(content), extents=extents, unused=unused)
print(f"{path} committed, version {answer['generation']}, {len(content)} bytes in {len(extents)} blocks")

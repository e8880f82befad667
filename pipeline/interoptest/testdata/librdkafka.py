"""librdkafka.py BROKERS OWN N THEIRS M: makes topic OWN, sends it N records (key-i, value-i), and prints M values of topic THEIRS, read by a group."""
import sys
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

brokers, own, n, theirs, m = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])

admin = AdminClient({"bootstrap.servers": brokers})
admin.create_topics([NewTopic(own, 3, 1, config={"retention.ms": "-1"})])[own].result(20)

failed = []
producer = Producer({
    "bootstrap.servers": brokers, "enable.idempotence": True, "partitioner": "murmur2_random",
    "transactional.id": own + "-writer",
})
producer.init_transactions(20)
producer.begin_transaction()
for i in range(n):
    producer.produce(own, key=f"key-{i}", value=f"value-{i}", on_delivery=lambda err, _: err and failed.append(err))
producer.commit_transaction(20)
if failed:
    sys.exit(f"not acked: {failed[0]}")

consumer = Consumer({"bootstrap.servers": brokers, "group.id": own + "-readers", "auto.offset.reset": "earliest", "enable.auto.commit": False})
consumer.subscribe([theirs])
while m > 0:
    msg = consumer.poll(20)
    if msg is None:
        sys.exit("nothing to read for 20 s")
    if msg.error():
        sys.exit(str(msg.error()))
    print(msg.value().decode())
    m -= 1
consumer.commit(asynchronous=False)
consumer.close()

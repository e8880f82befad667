"""aio.py BROKERS OWN N THEIRS M: makes topic OWN, sends it N records (key-i, value-i), and prints M values of topic THEIRS, read by a group."""
import asyncio
import sys
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

brokers, own, n, theirs, m = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    await admin.create_topics([NewTopic(own, 3, 1)])
    await admin.close()

    async with AIOKafkaProducer(bootstrap_servers=brokers, enable_idempotence=True) as producer:
        for i in range(n):
            await producer.send_and_wait(own, key=f"key-{i}".encode(), value=f"value-{i}".encode())

    consumer = AIOKafkaConsumer(
        theirs, bootstrap_servers=brokers, group_id=own + "-readers", auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer:
        for _ in range(m):
            msg = await asyncio.wait_for(consumer.getone(), 20)
            print(msg.value.decode())
        await consumer.commit()


asyncio.run(main())

// node.js BROKERS OWN N THEIRS M: makes topic OWN, sends it N records (key-i, value-i), and prints M values of topic THEIRS, read by a group.
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const [brokers, own, n, theirs, m] = process.argv.slice(2)
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR })

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: own, numPartitions: 3, replicationFactor: 1 }], waitForLeaders: true })
  await admin.disconnect()

  const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = Array.from({ length: Number(n) }, (_, i) => ({ key: `key-${i}`, value: `value-${i}` }))
  await producer.send({ topic: own, messages })
  await producer.disconnect()

  const consumer = kafka.consumer({ groupId: `${own}-readers` })
  await consumer.connect()
  await consumer.subscribe({ topic: theirs, fromBeginning: true })
  let left = Number(m)
  const all = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('nothing to read for 20 s')), 20000)
    consumer.run({
      eachMessage: async ({ message }) => {
        console.log(message.value.toString())
        if (--left === 0) { clearTimeout(late); resolve() }
      },
    })
  })
  await all
  await consumer.disconnect()
}

main().catch((err) => { console.error(err); process.exit(1) })

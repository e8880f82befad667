// Avro rows and a schema registry, with kafkajs and @kafkajs/confluent-schema-registry.
//
// avro.js read BROKERS REGISTRY TOPIC N          prints N values as JSON lines
// avro.js write BROKERS REGISTRY TOPIC SCHEMA    sends the JSON lines of standard input, typed by the schema in a file
// avro.js registry REGISTRY SUBJECT FIRST WIDER BROKEN   registers versions and asks for them in every way
const fs = require('fs')
const { Kafka, Partitioners, logLevel } = require('kafkajs')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const open = (brokers) => new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR })
const avro = (schema) => ({ type: SchemaType.AVRO, schema })

async function read(brokers, host, topic, n) {
  const registry = new SchemaRegistry({ host })
  const consumer = open(brokers).consumer({ groupId: `${topic}-node` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let left = Number(n)
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${left} rows have not come in 30 s`)), 30000)
    consumer.run({
      eachMessage: async ({ message }) => {
        const row = await registry.decode(message.value).catch((err) => { reject(err); throw err })
        console.log(JSON.stringify(row))
        if (--left === 0) { clearTimeout(late); resolve() }
      },
    })
  })
  await consumer.disconnect()
}

async function write(brokers, host, topic, schema) {
  const registry = new SchemaRegistry({ host })
  const { id } = await registry.register(avro(fs.readFileSync(schema, 'utf8')), { subject: `${topic}-value` })
  const rows = fs.readFileSync(0, 'utf8').trim().split('\n')
  const messages = await Promise.all(rows.map(async (row) => ({ value: await registry.encode(id, JSON.parse(row)) })))
  const producer = open(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, acks: -1, messages })
  await producer.disconnect()
}

async function registry(host, subject, first, wider, broken) {
  const ask = () => new SchemaRegistry({ host })
  const found = { first: (await ask().register(avro(first), { subject, compatibility: 'BACKWARD' })).id }
  found.wider = (await ask().register(avro(wider), { subject })).id
  found.refused = await ask().register(avro(broken), { subject }).then(() => false, (err) => /incompatible/i.test(err.message))
  found.latest = await ask().getLatestSchemaId(subject)
  found.byVersion = await ask().getRegistryId(subject, 1)
  found.lookup = await ask().getRegistryIdBySchema(subject, avro(first))
  console.log(JSON.stringify(found))
}

const [verb, ...args] = process.argv.slice(2)
;({ read, write, registry })[verb](...args).catch((err) => { console.error(err); process.exit(1) })

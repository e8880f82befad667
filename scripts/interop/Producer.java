import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Producer BROKERS TOPIC N sends N records (key-i, value-i) with the defaults of its client, and fails when one is not acked. */
public class Producer {
    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[0]);
        p.put("key.serializer", StringSerializer.class.getName());
        p.put("value.serializer", StringSerializer.class.getName());
        p.put("max.block.ms", "20000");
        int n = Integer.parseInt(args[2]);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(p)) {
            Future<RecordMetadata> last = null;
            for (int i = 0; i < n; i++) {
                last = producer.send(new ProducerRecord<>(args[1], "key-" + i, "value-" + i));
            }
            producer.flush();
            last.get();
        }
    }
}

package interoptest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// java runs a main class, or a source file, with the jars of one of the two sets.
func java(t *testing.T, stdin, jars, main string, args ...string) string {
	t.Helper()
	tool := "java"
	if jars != "kafka" {
		tool = "java-3.4"
	}
	need(t, tool)
	program := "java"
	lib := filepath.Join(root(t), ".cache", jars, "lib", "*")
	quiet := "-Dlog4j2.configurationFile=" + filepath.Join(root(t), "scripts/kafka/log4j2.properties")
	return run(t, stdin, program, append([]string{"-Xmx256m", "-XX:TieredStopAtLevel=1", quiet, "-cp", lib, main}, args...)...)
}

func TestJavaTools(t *testing.T) {
	need(t, "java")
	addr := broker(t)
	made := java(t, "", "kafka", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", addr, "--create", "--topic", "from-them", "--partitions", "3",
		"--replication-factor", "1", "--config", "retention.ms=-1")
	if !strings.Contains(made, "Created topic from-them.") {
		t.Errorf("kafka-topics --create says %q", made)
	}
	told := java(t, "", "kafka", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", addr, "--describe", "--topic", "from-them")
	for _, words := range []string{"PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=-1"} {
		if !strings.Contains(told, words) {
			t.Errorf("kafka-topics --describe says %q, want %q in it", told, words)
		}
	}
	var lines strings.Builder
	for i := range theirs {
		fmt.Fprintf(&lines, "key-%d:value-%d\n", i, i)
	}
	java(t, lines.String(), "kafka", "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", addr, "--topic", "from-them",
		"--reader-property", "parse.key=true", "--reader-property", "key.separator=:")
	judgeSent(t, addr, "from-them", 3)
	for _, protocol := range []string{"classic", "consumer"} {
		judgeRead(t, java(t, "", "kafka", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", addr, "--topic", "from-go",
			"--group", "readers-"+protocol, "--from-beginning", "--max-messages", fmt.Sprint(ours), "--timeout-ms", "30000",
			"--command-property", "group.protocol="+protocol))
	}
}

func TestOlderJavaProducer(t *testing.T) {
	need(t, "java-3.4")
	addr := broker(t)
	java(t, "", "kafka", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", addr, "--create", "--topic", "from-them", "--partitions", "3")
	java(t, "", "kafka-clients", filepath.Join(root(t), "scripts/interop/Producer.java"), addr, "from-them", fmt.Sprint(theirs))
	judgeSent(t, addr, "from-them", 3)
}

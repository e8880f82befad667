package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/progress"
)

// AdminPlan is what an administrator must run where Stripeline may not create topics itself: commands of the tools that come with Kafka.
type AdminPlan struct {
	Topics []kafka.Topic
	ACLs   []ACL
}

// ACL is one right that Stripeline needs. Name is a prefix when Prefix is true.
type ACL struct {
	Resource   string // topic, group, transactional-id, cluster
	Name       string
	Prefix     bool
	Operations []string
}

// PlanTopics gives the topics and rights of a namespace, the registry's topic among them, and those of the row topics named.
func PlanTopics(namespace string, shape Shape, rows ...string) AdminPlan {
	schemas := kafka.Topic{Name: SchemasTopic, Partitions: 1, Replication: shape.Replication, Configs: map[string]string{kafka.CleanupPolicy: "compact"}}
	prefix := namespace + "."
	runs := kafka.Topic{Name: prefix + progress.Topic, Partitions: progressPartitions, Replication: shape.Replication,
		Configs: map[string]string{kafka.CleanupPolicy: "compact"}}
	plan := AdminPlan{Topics: append(InternalTopics(namespace, shape), schemas, runs)}
	plan.ACLs = []ACL{
		{"topic", prefix, true, []string{"Describe", "DescribeConfigs", "Read", "Write", "Delete"}},
		{"topic", SchemasTopic, false, []string{"Describe", "DescribeConfigs", "Read", "Write"}},
		{"group", prefix, true, []string{"Describe", "Read", "Delete"}},
		{"transactional-id", prefix, true, []string{"Describe", "Write"}},
		{"cluster", "", false, []string{"IdempotentWrite", "Describe"}},
	}
	for _, topic := range rows {
		both := shape
		plan.Topics = append(plan.Topics,
			kafka.Topic{Name: topic, Partitions: both.Partitions, Replication: both.Replication},
			kafka.Topic{Name: RejectsTopic(topic), Partitions: both.Partitions, Replication: both.Replication, Configs: map[string]string{kafka.RetentionMS: "-1"}},
			kafka.Topic{Name: StateTopic(topic), Partitions: 1, Replication: both.Replication, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
		plan.ACLs = append(plan.ACLs,
			ACL{"topic", topic, false, []string{"Describe", "DescribeConfigs", "Read", "Write"}},
			ACL{"topic", RejectsTopic(topic), false, []string{"Describe", "DescribeConfigs", "Read", "Write"}},
			ACL{"topic", StateTopic(topic), false, []string{"Describe", "DescribeConfigs", "Read", "Write"}})
	}
	return plan
}

// Commands are the plan as lines for kafka-topics.sh and kafka-acls.sh; principal is who gets the rights, such as User:etl.
func (p AdminPlan) Commands(brokers, principal string) []string {
	lines := make([]string, 0, len(p.Topics)+len(p.ACLs))
	for _, t := range p.Topics {
		line := fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --create --if-not-exists --topic %s", brokers, t.Name)
		if t.Partitions > 0 {
			line += fmt.Sprintf(" --partitions %d", t.Partitions)
		}
		if t.Replication > 0 {
			line += fmt.Sprintf(" --replication-factor %d", t.Replication)
		}
		for _, key := range slices.Sorted(maps.Keys(t.Configs)) {
			line += fmt.Sprintf(" --config %s=%s", key, t.Configs[key])
		}
		lines = append(lines, line)
	}
	for _, a := range p.ACLs {
		line := fmt.Sprintf("kafka-acls.sh --bootstrap-server %s --add --allow-principal %s --%s", brokers, principal, a.Resource)
		if a.Name != "" {
			line += " " + a.Name
		}
		if a.Prefix {
			line += " --resource-pattern-type prefixed"
		}
		lines = append(lines, line+" --operation "+strings.Join(a.Operations, " --operation "))
	}
	return lines
}

package embedded

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxTopicName is Kafka's limit: a directory's name with the partition behind it.
const maxTopicName = 249

// creator makes topics as a real single broker does and says what it made: id, partitions, factor and, which Java's admin client cannot do without, a
// list of configs.
type creator struct {
	cluster *kfake.Cluster
	legal   *regexp.Regexp // what Kafka allows in a name
}

func answerCreate(c *kfake.Cluster) answer {
	maker := creator{cluster: c, legal: regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)}
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.CreateTopicsRequest)
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			made := kmsg.NewCreateTopicsResponseTopic()
			made.Topic = t.Topic
			err := maker.check(req, t)
			if err == nil {
				err = maker.create(req, t, &made)
			}
			explain(&made, err)
			resp.Topics = append(resp.Topics, made)
		}
		return resp, nil, true
	}
}

func (c creator) check(req *kmsg.CreateTopicsRequest, t kmsg.CreateTopicsRequestTopic) error {
	same := 0
	for _, other := range req.Topics {
		if other.Topic == t.Topic {
			same++
		}
	}
	switch {
	case same > 1:
		return refuse(kerr.InvalidRequest, "topic %s is named %d times in one request", t.Topic, same)
	case t.Topic == ".", t.Topic == "..", len(t.Topic) > maxTopicName, !c.legal.MatchString(t.Topic):
		return refuse(kerr.InvalidTopicException, "topic name %q: use at most %d of a-z A-Z 0-9 . _ -", t.Topic, maxTopicName)
	case c.cluster.TopicInfo(t.Topic) != nil:
		return refuse(kerr.TopicAlreadyExists, "topic %s exists", t.Topic)
	}
	return nil
}

func (c creator) create(req *kmsg.CreateTopicsRequest, t kmsg.CreateTopicsRequestTopic, made *kmsg.CreateTopicsResponseTopic) error {
	parts, err := partitions(t)
	if err != nil {
		return err
	}
	configs := map[string]string{}
	made.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
	for _, cfg := range t.Configs {
		if cfg.Value == nil {
			return refuse(kerr.InvalidConfig, "topic %s: config %s has no value", t.Topic, cfg.Name)
		}
		configs[cfg.Name] = *cfg.Value
		said := kmsg.NewCreateTopicsResponseTopicConfig()
		said.Name, said.Value, said.Source = cfg.Name, cfg.Value, int8(kmsg.ConfigSourceDynamicTopicConfig)
		made.Configs = append(made.Configs, said)
	}
	made.NumPartitions, made.ReplicationFactor = parts, 1
	if req.ValidateOnly {
		return nil
	}
	if err := c.cluster.CreateTopic(t.Topic, parts, configs); err != nil {
		return fmt.Errorf("create topic %s: %w", t.Topic, err)
	}
	made.TopicID = c.cluster.TopicInfo(t.Topic).TopicID
	return nil
}

// refusal is a Kafka error with the words that a person needs.
type refusal struct {
	code  *kerr.Error
	words string
}

func (r *refusal) Error() string { return r.words }

func refuse(code *kerr.Error, format string, args ...any) error {
	return &refusal{code: code, words: fmt.Sprintf(format, args...)}
}

func explain(made *kmsg.CreateTopicsResponseTopic, err error) {
	if err == nil {
		return
	}
	made.ErrorCode = kerr.UnknownServerError.Code
	made.ErrorMessage = kmsg.StringPtr(err.Error())
	var ours *refusal
	var theirs *kerr.Error
	if errors.As(err, &ours) {
		made.ErrorCode = ours.code.Code
	} else if errors.As(err, &theirs) {
		made.ErrorCode = theirs.Code
	}
	made.NumPartitions, made.ReplicationFactor, made.Configs = -1, -1, nil
}

// partitions is how many the request asks for, on a cluster whose only broker is node 0.
func partitions(t kmsg.CreateTopicsRequestTopic) (int32, error) {
	if len(t.ReplicaAssignment) > 0 {
		return assigned(t)
	}
	if t.ReplicationFactor != -1 && t.ReplicationFactor != 1 {
		return 0, refuse(kerr.InvalidReplicationFactor, "topic %s: replication factor %d, but there is 1 broker: use 1", t.Topic, t.ReplicationFactor)
	}
	if t.NumPartitions == -1 {
		return defaultPartitions, nil
	}
	if t.NumPartitions < 1 {
		return 0, refuse(kerr.InvalidPartitions, "topic %s: %d partitions: use 1 or more", t.Topic, t.NumPartitions)
	}
	return t.NumPartitions, nil
}

func assigned(t kmsg.CreateTopicsRequestTopic) (int32, error) {
	if t.NumPartitions != -1 || t.ReplicationFactor != -1 {
		return 0, refuse(kerr.InvalidRequest, "topic %s: give replicas, or partitions and replication factor, not both", t.Topic)
	}
	ids := make(map[int32]struct{})
	for _, a := range t.ReplicaAssignment {
		if len(a.Replicas) != 1 || a.Replicas[0] != 0 {
			return 0, refuse(kerr.InvalidReplicaAssignment, "topic %s: replicas %v of partition %d: the only broker is 0", t.Topic, a.Replicas, a.Partition)
		}
		ids[a.Partition] = struct{}{}
	}
	n := int32(len(t.ReplicaAssignment))
	for p := range n {
		if _, ok := ids[p]; !ok {
			return 0, refuse(kerr.InvalidReplicaAssignment, "topic %s: partition %d of %d is not assigned", t.Topic, p, n)
		}
	}
	return n, nil
}

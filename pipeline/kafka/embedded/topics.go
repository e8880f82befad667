package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

// topicsFile is where the broker keeps its topics; it is rewritten before a change of them is answered.
const topicsFile = "topics.json"

// topicState is a topic as the broker's own file has it.
type topicState struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"` // base64 of 16 bytes
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`
}

func readTopics(dir string) ([]topicState, error) {
	var file struct {
		Topics []topicState `json:"topics"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, topicsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	return file.Topics, nil
}

// compacted returns whether the topic keeps the last record of each key.
func (t topicState) compacted() bool { return strings.Contains(t.Configs["cleanup.policy"], "compact") }

// limited returns whether age or size may end the life of the topic's records.
func (t topicState) limited() bool {
	for _, key := range []string{"retention.ms", "retention.bytes"} {
		if n, err := strconv.ParseInt(t.Configs[key], 10, 64); err == nil && n >= 0 {
			return true
		}
	}
	return false
}

// partitionDir is where the broker keeps the segments of one partition.
func partitionDir(dir, topic string, partition int) string {
	return filepath.Join(dir, "partitions", fmt.Sprintf("%s-%d", url.PathEscape(topic), partition))
}

// partitionState is one partition of a topic as it is now.
type partitionState struct {
	start, end, stable, bytes int64
}

func look(c *kfake.Cluster, topic string) []partitionState {
	var out []partitionState
	for _, p := range c.PartitionInfos(topic) {
		out = append(out, partitionState{start: p.LogStartOffset, end: p.HighWatermark, stable: p.LastStableOffset, bytes: p.NumBytes})
	}
	return out
}

package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"stripeline/consumers/blockstore"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// heartbeatEvery is the time between two records of a target.
const heartbeatEvery = 10 * time.Second

// ParseTarget reads a target as a person types it: DIR[,rack=R][,domain=D].
func ParseTarget(text string) (blockstore.Directory, error) {
	parts := strings.Split(text, ",")
	path, err := filepath.Abs(parts[0])
	if err != nil || parts[0] == "" {
		return blockstore.Directory{}, fmt.Errorf("target %q has no directory: write it as DIR,rack=R", text)
	}
	d := blockstore.Directory{Path: path}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch {
		case key == "rack" && value != "":
			d.Rack = value
		case key == "domain" && value != "":
			d.Domain = value
		default:
			return blockstore.Directory{}, fmt.Errorf("target %q: %q is not rack=R or domain=D", text, part)
		}
	}
	return d, nil
}

// heartbeat announces this worker's targets every 10 s.
func (w *Worker) heartbeat(ctx context.Context) error {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := w.announce(ctx); err != nil && ctx.Err() == nil {
			w.site.Log.Warn("could not announce the targets, trying again", "error", err)
		}
	}
}

func (w *Worker) announce(ctx context.Context) error {
	var records []*kafka.Record
	for _, t := range w.store.Targets() {
		t.Time = time.Now().UnixMilli()
		w.tell(t)
		value, err := w.site.Codecs.Targets.Append(nil, &t)
		if err != nil {
			return err
		}
		records = append(records, &kafka.Record{Topic: w.site.Cluster.Name(schemas.TopicTargets), Key: t.ID[:], Value: value})
	}
	if err := w.producer.ProduceSync(ctx, records...); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.announced = true
	return nil
}

// tell logs a target that became sick or works again.
func (w *Worker) tell(t schemas.Target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was, known := w.states[t.ID]
	w.states[t.ID] = t.State
	switch {
	case t.State == schemas.TargetSick && was != t.State:
		w.site.Log.Warn("a target does not work: its cells go elsewhere until it does", "target", t.ID, "address", t.Address, "free", t.Free)
	case known && was == schemas.TargetSick && t.State != was:
		w.site.Log.Info("a target works again", "target", t.ID, "address", t.Address, "free", t.Free)
	}
}

// targetDirectory gives the directory of a target that can be reached by path from this machine.
func targetDirectory(t schemas.Target) (string, error) {
	dir, ok := strings.CutPrefix(t.Address, "file://")
	if !ok {
		return "", fmt.Errorf("reach target %s at %s: %w: targets are read by path", t.ID, t.Address, ErrNotYet)
	}
	return dir, nil
}

package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/progress"
)

// Status is how the write plan, the runs of rows and the transforms are doing, seen from outside.
type Status struct {
	Links      []LinkLag         `json:"links"`
	Targets    []TargetStatus    `json:"targets"`
	Runs       []progress.Run    `json:"runs"` // of rows
	Transforms []TransformStatus `json:"transforms"`
}

// LinkLag is how far a link is behind its input, in records.
type LinkLag struct {
	Link    string `json:"link"`
	Group   string `json:"group"`
	Input   string `json:"input"`
	State   string `json:"state"` // of the group, as the broker calls it
	Members int    `json:"members"`
	Lag     int64  `json:"lag"`
	Rejects int64  `json:"rejects"` // records on <input>.rejects
}

// TargetStatus is a target with the age of its last heartbeat.
type TargetStatus struct {
	schemas.Target
	Silent time.Duration `json:"silent_ns"`
}

// ReadStatus asks for everything that a namespace holds. One without blocks has no links and targets, and none are made; one that holds nothing at all is
// ErrNoNamespace.
func ReadStatus(ctx context.Context, cluster *kafka.Cluster, registry RegistryClient) (all Status, err error) {
	all.Links = []LinkLag{}
	site, missing := VisitSite(ctx, cluster, registry)
	if missing == nil {
		all, err = site.blocks(ctx)
	} else if !errors.Is(missing, ErrNoNamespace) {
		err = missing
	}
	if err != nil {
		return all, err
	}
	if all.Runs, err = ReadRuns(ctx, cluster); err != nil {
		return all, err
	}
	if all.Transforms, err = ReadTransforms(ctx, cluster); err != nil {
		return all, err
	}
	if len(all.Runs)+len(all.Transforms) == 0 {
		return all, missing
	}
	return all, nil
}

// blocks asks the brokers for every link's lag and rejects, and the targets topic for the targets.
func (s *Site) blocks(ctx context.Context) (Status, error) {
	var all Status
	for _, l := range WritePlan(s.Cluster.Namespace()).Links {
		lag, err := s.linkLag(ctx, l)
		if err != nil {
			return all, err
		}
		all.Links = append(all.Links, lag)
	}
	targets, err := s.targets(ctx)
	if err != nil {
		return all, err
	}
	for _, t := range targets {
		all.Targets = append(all.Targets, TargetStatus{t, time.Since(time.UnixMilli(t.Time))})
	}
	slices.SortFunc(all.Targets, func(a, b TargetStatus) int { return strings.Compare(a.Address, b.Address) })
	return all, nil
}

func (s *Site) linkLag(ctx context.Context, l PlannedLink) (LinkLag, error) {
	status := LinkLag{Link: l.Name, Group: l.Group, Input: l.Input}
	lag, err := s.Cluster.Lag(ctx, l.Group)
	if err != nil {
		return status, err
	}
	status.State, status.Members, status.Lag = lag.State, lag.Members, lag.Total()
	status.Rejects, err = recordsOf(ctx, s.Cluster, flow.RejectsTopic(l.Input))
	return status, err
}

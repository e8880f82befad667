package main

import (
	"io"
	"maps"
	"slices"
	"time"

	"stripeline/pipeline"
	"stripeline/schemas"
	runs "stripeline/schemas/progress"
)

// entryFacts is what --json tells of an entry: ids in hexadecimal, versions as epoch.offset, times in UTC.
type entryFacts struct {
	Path     string            `json:"path"`
	Length   int64             `json:"length"`
	CRC      uint32            `json:"crc32c"`
	Version  string            `json:"version"`
	File     string            `json:"file"`
	Policy   string            `json:"policy"`
	Modified time.Time         `json:"modified"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func factsOfEntry(e schemas.Entry) entryFacts {
	return entryFacts{Path: e.Path, Length: e.Length, CRC: e.CRC, Version: e.Version.String(), File: e.File.String(), Policy: e.Policy,
		Modified: time.UnixMilli(e.Time).UTC(), Metadata: e.Metadata}
}

// detailFacts is an entry with its blocks and opens; the entry is absent while nothing is committed.
type detailFacts struct {
	Path   string       `json:"path"`
	Entry  *entryFacts  `json:"entry,omitempty"`
	Blocks []blockFacts `json:"blocks"`
	Opens  []openFacts  `json:"opens"`
}

type blockFacts struct {
	ID      string       `json:"id"`
	State   string       `json:"state"`
	Policy  string       `json:"policy"`
	Length  int64        `json:"length"`
	CRC     uint32       `json:"crc32c"`
	Stored  int32        `json:"stored_stripes"`
	Full    int32        `json:"full_stripes"`
	Missing []int32      `json:"missing,omitempty"`
	Shards  []shardFacts `json:"shards"`
}

type shardFacts struct {
	Index       int32  `json:"index"`
	Target      string `json:"target"`
	Incarnation string `json:"incarnation"`
	State       string `json:"state"`
}

type openFacts struct {
	Generation string    `json:"generation"`
	File       string    `json:"file"`
	Policy     string    `json:"policy"`
	Since      time.Time `json:"since"`
}

func factsOfDetail(d pipeline.FileDetail) detailFacts {
	facts := detailFacts{Path: d.Entry.Path, Blocks: []blockFacts{}, Opens: []openFacts{}}
	if d.Entry.Committed() {
		entry := factsOfEntry(d.Entry)
		facts.Entry = &entry
	}
	for _, b := range d.Blocks {
		facts.Blocks = append(facts.Blocks, factsOfBlock(b))
	}
	for _, o := range d.Entry.Opens {
		facts.Opens = append(facts.Opens, openFacts{o.Generation.String(), o.File.String(), o.Policy, time.UnixMilli(o.Time).UTC()})
	}
	return facts
}

func factsOfBlock(b schemas.Block) blockFacts {
	facts := blockFacts{ID: b.ID.String(), State: string(b.State), Policy: b.Policy, Length: b.Length, CRC: b.CRC,
		Stored: b.Stored, Full: b.Full, Missing: b.Missing, Shards: []shardFacts{}}
	for _, s := range b.Shards {
		facts.Shards = append(facts.Shards, shardFacts{s.Index, s.Target.String(), s.Incarnation.String(), string(s.State)})
	}
	return facts
}

// targetFacts is what --json tells of a storage target.
type targetFacts struct {
	ID      string  `json:"id"`
	Node    string  `json:"node"`
	Rack    string  `json:"rack"`
	Domain  string  `json:"domain"`
	Address string  `json:"address"`
	State   string  `json:"state"`
	Free    int64   `json:"free"`
	Silent  float64 `json:"silent_seconds"`
}

func factsOfTarget(t schemas.Target) targetFacts {
	facts := targetFacts{ID: t.ID.String(), Node: t.Node, Rack: t.Rack, Domain: t.Domain, Address: t.Address, State: string(t.State), Free: t.Free}
	if t.Time > 0 {
		facts.Silent = time.Since(time.UnixMilli(t.Time)).Seconds()
	}
	return facts
}

func factsOfTargets(targets []schemas.Target) []targetFacts {
	facts := []targetFacts{}
	for _, t := range targets {
		facts = append(facts, factsOfTarget(t))
	}
	return facts
}

// statusFacts is what --json tells of a plan's links and targets.
type statusFacts struct {
	Links   []pipeline.LinkLag `json:"links"`
	Targets []targetFacts      `json:"targets"`
	Runs    []runs.Run         `json:"runs"`

	Transforms []pipeline.TransformStatus `json:"transforms"`
}

func factsOfStatus(s pipeline.Status) statusFacts {
	facts := statusFacts{Links: s.Links, Targets: []targetFacts{}, Runs: s.Runs, Transforms: s.Transforms}
	for _, t := range s.Targets {
		facts.Targets = append(facts.Targets, factsOfTarget(t.Target))
	}
	return facts
}

// putFacts is what --json tells of a file that was put.
type putFacts struct {
	pipeline.PutResult
	Version string `json:"version"`
}

// summary prints what came of a verb's work, unless --quiet asks for nothing; --json prints it in any case.
func (a *app) summary(facts any, text func(io.Writer)) error {
	if a.settings.Quiet && !a.settings.JSON {
		return nil
	}
	return a.output.emit(facts, text)
}

// sorted gives the keys of metadata in order.
func sorted(metadata map[string]string) []string { return slices.Sorted(maps.Keys(metadata)) }

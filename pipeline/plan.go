package pipeline

import (
	"fmt"
	"io"
	"strings"
)

// PlannedLink is one link of a plan as people see it.
type PlannedLink struct {
	Name   string   `json:"name"`
	Group  string   `json:"group"`
	Input  string   `json:"input"`
	Key    string   `json:"key"`
	Stages []string `json:"stages"`
	Output []string `json:"output"`
	Effect string   `json:"effect"`
}

// Plan is a chain of links between topics.
type Plan struct {
	Name      string        `json:"name"`
	Links     []PlannedLink `json:"links"`
	Producers []PlannedEnd  `json:"producers"`
	Readers   []PlannedEnd  `json:"readers"`
}

// PlannedEnd is somebody outside the links who writes to or reads from a topic.
type PlannedEnd struct {
	Name  string `json:"name"`
	Topic string `json:"topic"`
}

// WritePlan is the chain by which a file is written.
func WritePlan(namespace string) Plan {
	q := func(name string) string { return Qualify(namespace, name) }
	return Plan{
		Name: "write",
		Links: []PlannedLink{
			{Name: LinkStore, Group: q(LinkStore), Input: q("packets"), Key: "block", Stages: []string{"verify", "erasure", "placement", "blockstore"},
				Output: []string{q("acks"), q("packets.rejects")}, Effect: "at least once; frames fsynced before their receipt"},
			{Name: LinkSeal, Group: q(LinkSeal), Input: q("acks"), Key: "block", Stages: []string{"seal"},
				Output: []string{q("blocks"), q("acks.rejects")}, Effect: "exactly once; one transaction per poll"},
			{Name: LinkNamespace, Group: q(LinkNamespace), Input: q("commands"), Key: "volume", Stages: []string{"namespace"},
				Output: []string{q("files"), q("acks"), q("commands.rejects")}, Effect: "exactly once; one transaction per poll"},
		},
		Producers: []PlannedEnd{{"writer", q("packets")}, {"writer", q("commands")}, {"target", q("targets")}},
		Readers:   []PlannedEnd{{"writer", q("blocks")}, {"reader", q("blocks")}, {"target", q("blocks")}, {"writer", q("files")}, {"reader", q("files")}, {"reader", q("targets")}},
	}
}

// Text prints the plan for people, one link after the other.
func (p Plan) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s\n", p.Name)
	for _, l := range p.Links {
		fmt.Fprintf(&b, "\nlink %s\n  group   %s\n  input   %s, key %s\n  stages  %s\n  output  %s\n  effect  %s\n",
			l.Name, l.Group, l.Input, l.Key, strings.Join(l.Stages, " > "), strings.Join(l.Output, ", "), l.Effect)
	}
	fmt.Fprintf(&b, "\nfrom outside\n")
	for _, e := range p.Producers {
		fmt.Fprintf(&b, "  %-8s writes %s\n", e.Name, e.Topic)
	}
	for _, e := range p.Readers {
		fmt.Fprintf(&b, "  %-8s reads  %s\n", e.Name, e.Topic)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DOT prints the plan as a graph in Graphviz's language: boxes are links, cylinders are topics.
func (p Plan) DOT(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir=LR;\n  node [shape=box];\n", p.Name)
	topics := map[string]bool{}
	topic := func(name string) string {
		if !topics[name] {
			topics[name] = true
			fmt.Fprintf(&b, "  %q [shape=cylinder];\n", name)
		}
		return name
	}
	for _, l := range p.Links {
		fmt.Fprintf(&b, "  %q [label=%q];\n", "link "+l.Name, l.Name+"\n"+strings.Join(l.Stages, " > "))
		fmt.Fprintf(&b, "  %q -> %q [label=%q];\n", topic(l.Input), "link "+l.Name, l.Key)
		for _, out := range l.Output {
			fmt.Fprintf(&b, "  %q -> %q;\n", "link "+l.Name, topic(out))
		}
	}
	for _, e := range p.Producers {
		fmt.Fprintf(&b, "  %q -> %q;\n", e.Name, topic(e.Topic))
	}
	for _, e := range p.Readers {
		fmt.Fprintf(&b, "  %q -> %q;\n", topic(e.Topic), e.Name)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

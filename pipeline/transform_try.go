package pipeline

import (
	"context"
	"encoding/json"
	"errors"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// Trial is one record of a dry run: what went in, and what came out or why nothing did.
type Trial struct {
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	In        json.RawMessage `json:"in,omitempty"`
	Out       json.RawMessage `json:"out,omitempty"`
	LeftOut   bool            `json:"left_out,omitempty"` // by where
	Code      string          `json:"code,omitempty"`     // of the reject that it would be
	Message   string          `json:"message,omitempty"`
}

// Try maps the first n records of the input, writes nothing, and shows each.
func (t *Transform) Try(ctx context.Context, n int64, show func(Trial) error) error {
	plan, err := t.ready(ctx)
	if err != nil {
		return err
	}
	defer plan.follow(ctx)()
	ins := newWalkers(t.Registry)
	out, err := rowplan.Walk(plan.Out.Text)
	if err != nil {
		return err
	}
	return t.first(ctx, n, func(r *kafka.Record) error {
		trial := Trial{Partition: r.Partition, Offset: r.Offset}
		if id, payload, ok := framed(r.Value); ok {
			if walker, err := ins.find(ctx, id); err == nil {
				trial.In, _ = walker.AppendJSON(nil, payload)
			}
		}
		trial.LeftOut = true
		err := plan.stage(r, t.To, func(mapped *kafka.Record) {
			trial.LeftOut = false
			trial.Out, _ = out.AppendJSON(nil, mapped.Value[len(plan.header):])
		})
		if why, ok := schemas.AsReject(err); ok {
			trial.LeftOut, trial.Code, trial.Message = false, why.Code, why.Message
		} else if err != nil {
			return err
		}
		return show(trial)
	})
}

// first gives the first n records of the input to see.
func (t *Transform) first(ctx context.Context, n int64, see func(*kafka.Record) error) error {
	c := &Consume{Cluster: t.Cluster, Topic: t.From, Limit: n}
	err := c.each(ctx, see)
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

package pipeline

import (
	"context"
	"encoding/json"
	"io"

	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// RowTrial is one row of a dry run: the record that it would become, or why it would be a reject.
type RowTrial struct {
	File    string          `json:"file"`
	Line    int64           `json:"line"`
	Key     json.RawMessage `json:"key,omitempty"` // a string, or what the Avro key holds
	Record  json.RawMessage `json:"record,omitempty"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
	Raw     string          `json:"raw,omitempty"` // of a reject
}

// Try types the first n rows and shows each; it speaks with the registry alone and sends nothing.
func (p *ProduceCSV) Try(ctx context.Context, n int64, show func(RowTrial) error) error {
	r := &csvRun{ProduceCSV: p, rowRun: newRowRun(p.Production, "produce csv")}
	defer r.close()
	if err := r.lookAt(ctx); err != nil {
		return err
	}
	read, err := r.readers()
	if err != nil {
		return err
	}
	for i := range r.inputs {
		if err := r.reopen(ctx, &r.inputs[i]); err != nil {
			return err
		}
		for ; n > 0; n-- {
			row, err := r.inputs[i].source.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			trial, err := r.try(&r.inputs[i], row, read)
			if err != nil {
				return err
			}
			if err := show(trial); err != nil {
				return err
			}
		}
	}
	return nil
}

// trialReaders read what a dry run has made.
type trialReaders struct {
	value, key *rowplan.Walker // key is nil for keys of text
}

func (r *csvRun) readers() (read trialReaders, err error) {
	if r.AvroKey != nil {
		if read.key, err = rowplan.Walk(r.keySchema.Text); err != nil {
			return read, err
		}
	}
	read.value, err = rowplan.Walk(r.schema.Text)
	return read, err
}

func (r *csvRun) try(in *csvInput, row rowplan.Row, read trialReaders) (RowTrial, error) {
	trial := RowTrial{File: row.File, Line: row.Line}
	err := in.stage(row, r.keep)
	if why, ok := schemas.AsReject(err); ok {
		trial.Code, trial.Message, trial.Raw = why.Code, why.Message, string(row.Raw)
		return trial, nil
	}
	if err == nil && r.made.Key != nil {
		trial.Key, err = read.keyOf(r.made.Key)
	}
	if err != nil {
		return trial, err
	}
	_, payload, _ := framed(r.made.Value)
	trial.Record, err = read.value.AppendJSON(nil, payload)
	return trial, err
}

func (t trialReaders) keyOf(key []byte) (json.RawMessage, error) {
	if t.key == nil {
		return json.Marshal(string(key))
	}
	_, payload, _ := framed(key)
	return t.key.AppendJSON(nil, payload)
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"stripeline/processors/conform"
	"stripeline/schemas/rowplan"
)

// AvroKey says that keys are Avro values under a schema id, as values are, and under which schema.
type AvroKey struct {
	Pin      Pin         // the zero Pin is the latest version of <topic>-key
	Register *SchemaFile // as ProduceCSV has it for values
}

// findSchemas finds the schemas of values and keys. Those out of files are checked, and not registered yet.
func (r *csvRun) findSchemas(ctx context.Context) (err error) {
	pin := r.Pin
	if pin.Subject == "" && pin.ID == 0 {
		pin.Subject = ValueSubject(r.rowRun.Topic)
	}
	if r.schema, err = r.findSchema(ctx, pin, r.Register); err != nil {
		return err
	}
	return r.findKeySchema(ctx)
}

// findKeySchema finds the schema of Avro keys.
func (r *csvRun) findKeySchema(ctx context.Context) (err error) {
	if r.AvroKey == nil {
		return nil
	}
	pin := r.AvroKey.Pin
	if pin.Subject == "" && pin.ID == 0 {
		pin.Subject = KeySubject(r.rowRun.Topic)
	}
	r.keySchema, err = r.findSchema(ctx, pin, r.AvroKey.Register)
	return err
}

func (r *csvRun) findSchema(ctx context.Context, pin Pin, file *SchemaFile) (RowSchema, error) {
	if file == nil {
		return pin.find(ctx, r.Registry)
	}
	if r.Writer == nil {
		return RowSchema{}, errors.New("internal error: a schema to register, and no writer of subjects")
	}
	return r.Writer.Admit(ctx, pin.Subject, *file)
}

// register adds the schemas that the registry lacks, now that everything else that can be known before the first record is known to be right.
func (r *csvRun) register(ctx context.Context) error {
	if err := r.add(ctx, &r.schema, r.Register); err != nil {
		return err
	}
	if r.AvroKey != nil {
		if err := r.add(ctx, &r.keySchema, r.AvroKey.Register); err != nil {
			return err
		}
	}
	for i := range r.inputs {
		in := &r.inputs[i]
		in.shape.SchemaID, in.shape.Key.SchemaID = uint32(r.schema.ID), uint32(r.keySchema.ID)
		in.stage = conform.Stage(in.shape)
	}
	r.rejects.schema = r.schema
	if r.schema.Subject == "" {
		r.rejects.schema.Subject = r.subjectOfID(ctx)
	}
	return nil
}

// add registers the schema of a file unless the registry has it.
func (r *csvRun) add(ctx context.Context, schema *RowSchema, file *SchemaFile) error {
	if file == nil || schema.ID != 0 {
		return nil
	}
	added, err := r.Writer.Add(ctx, schema.Subject, *file)
	if err != nil {
		return err
	}
	*schema = added
	r.rowRun.Cluster.Logger().Info("schema registered", "subject", added.Subject, "version", added.Version, "id", added.ID, "file", file.Name)
	return nil
}

// subjectOfID is the subject of a schema that was pinned by its id alone, "" unless the registry knows exactly one. It is for people: the record of
// the run does without it, since another subject may have the schema tomorrow.
func (r *csvRun) subjectOfID(ctx context.Context) string {
	if r.Writer == nil {
		return ""
	}
	names, err := r.Writer.SubjectsOf(ctx, r.schema.ID)
	if err != nil || len(names) != 1 {
		return ""
	}
	return names[0]
}

// keyOf finds the key's columns in a header and says what they become.
func (r *csvRun) keyOf(header []string) (key conform.Key, err error) {
	for _, column := range r.Key {
		i := slices.Index(header, column)
		if i < 0 {
			return key, fmt.Errorf("key column %q: %w, which has %s", column, ErrNoColumn, strings.Join(header, ", "))
		}
		key.Columns = append(key.Columns, i)
	}
	if r.AvroKey == nil {
		return key, nil
	}
	key.SchemaID = uint32(r.keySchema.ID)
	key.Plan, err = rowplan.CompileKey(r.keySchema.Text, rowplan.Keying{Header: header, Columns: r.Key}, r.Cells)
	if err != nil {
		return key, fmt.Errorf("key against %s: %w", r.keySchema.Place(), err)
	}
	return key, nil
}

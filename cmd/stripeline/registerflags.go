package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

// registration is a schema in a file that is to be registered, with what it refers to. The zero registration is of a verb that registers nothing.
type registration struct {
	flag, file    string // as typed, such as --register
	referenceFlag string
	references    []string
}

// read reads the schema that is to be registered, nil without one.
func (r registration) read() (*pipeline.SchemaFile, error) {
	if r.file == "" {
		if len(r.references) > 0 {
			return nil, usagef("%s goes with %s: a schema that the registry has says itself what it refers to", r.referenceFlag, r.flag)
		}
		return nil, nil
	}
	text, err := os.ReadFile(r.file)
	if err != nil {
		return nil, usagef("%s: %w: name an existing file", r.flag, err)
	}
	file := &pipeline.SchemaFile{Name: r.file, Text: string(text)}
	if file.References, err = parseReferences(r.referenceFlag, r.references); err != nil {
		return nil, err
	}
	if err := checkText(client.Schema{Text: file.Text, References: file.References}, r.referenceFlag); err != nil {
		return nil, usagef("%s %s: %w", r.flag, r.file, err)
	}
	return file, nil
}

// checkText says what is wrong with an Avro text, as far as that can be known without what it refers to.
func checkText(s client.Schema, referenceFlag string) error {
	undefined, err := client.Undefined(s.Text)
	switch {
	case err != nil:
		return err
	case len(undefined) == 0:
		_, err = client.Canonical(s.Text)
		return err
	case len(s.References) == 0:
		return fmt.Errorf("%w %s: define what it uses, or name the subject that does with %s %s=SUBJECT:VERSION",
			client.ErrUnknownType, strings.Join(undefined, ", "), referenceFlag, undefined[0])
	}
	return nil
}

// parseReferences reads NAME=SUBJECT:VERSION as often as it was given. A subject may hold colons itself; version -1 is the latest.
func parseReferences(flag string, texts []string) (all []client.Reference, err error) {
	for _, text := range texts {
		name, place, ok := strings.Cut(text, "=")
		at := max(strings.LastIndexByte(place, ':'), 0)
		version, err := strconv.Atoi(strings.TrimPrefix(place[at:], ":"))
		if !ok || name == "" || at == 0 || err != nil || version < pipeline.Latest || version == 0 {
			return nil, usagef("%s is %q: write it as NAME=SUBJECT:VERSION", flag, text)
		}
		all = append(all, client.Reference{Name: name, Subject: place[:at], Version: version})
	}
	return all, nil
}

// recordOf is what the command line says of the record that a subject is named after.
type recordOf struct {
	strategy       string
	nameFlag, name string
	register       registration
	subjectFlag    string
}

// find gives the record's full name, "" where nothing says it or it is not needed.
func (r recordOf) find(file *pipeline.SchemaFile) (string, error) {
	switch {
	case !pipeline.SubjectStrategy(r.strategy).ByRecord():
		return "", nil
	case r.name != "" && !client.IsFullName(r.name):
		return "", usagef("%s is %q: give a full name such as com.example.Flight", r.nameFlag, r.name)
	case file == nil:
		return r.name, nil
	}
	name, err := client.RecordName(file.Text)
	if errors.Is(err, client.ErrNoRecord) {
		return "", usagef("%s %s: %w, and --subject-strategy %s names subjects after records: say %s", r.register.flag, r.register.file, err, r.strategy, r.subjectFlag)
	}
	if err != nil {
		return "", usagef("%s %s: %w", r.register.flag, r.register.file, err)
	}
	if r.name != "" && r.name != name {
		return "", usagef("%s is %s, but the record in %s is %s: give one of them", r.nameFlag, r.name, r.register.file, name)
	}
	return name, nil
}

func (r recordOf) missing() error {
	schema := ""
	if r.register.flag != "" {
		schema = " its schema with " + r.register.flag + ","
	}
	return usagef("--subject-strategy %s names the subject after a record: give its full name with %s,%s or the subject with %s",
		r.strategy, r.nameFlag, schema, r.subjectFlag)
}

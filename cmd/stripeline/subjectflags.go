package main

import (
	"github.com/spf13/pflag"

	"stripeline/pipeline"
)

// subjectFlags say under which schemas values and keys are written.
type subjectFlags struct {
	subject, strategy, recordName string
	version, schemaID             int
	register                      registration

	key                              []string
	keyFormat, keySubject, keyRecord string
	keyVersion                       int
	keyRegister                      registration

	redriven bool // what is not said is as each reject says
}

func (f *subjectFlags) declareSubjects(set *pflag.FlagSet) {
	set.StringVar(&f.subject, "subject", "", "registry subject that types the columns (default <topic>-value)")
	set.StringVar(&f.strategy, "subject-strategy", "", "how subjects are named: topic (the default), record or topic-record")
	set.StringVar(&f.recordName, "record", "", "full name of the record, for the strategies record and topic-record")
	set.IntVar(&f.version, "version", 0, "version of the subject (default: the latest)")
	set.IntVar(&f.schemaID, "schema-id", 0, "schema id instead of subject and version")
	set.StringSliceVar(&f.key, "key", nil, "column that becomes the record key; several make one line of values, or the fields of an Avro key")
	set.StringVar(&f.keyFormat, "key-format", "", "plain (the default), or avro: typed by the key's schema, as values are")
	set.StringVar(&f.keySubject, "key-subject", "", "registry subject that types Avro keys (default <topic>-key)")
	set.IntVar(&f.keyVersion, "key-version", 0, "version of the key's subject (default: the latest)")
	set.StringVar(&f.keyRecord, "key-record", "", "full name of the key's record, for the strategies record and topic-record")
}

// declareRegister adds the flags of verbs that may register schemas.
func (f *subjectFlags) declareRegister(set *pflag.FlagSet) {
	f.register = registration{flag: "--register", referenceFlag: "--reference"}
	f.keyRegister = registration{flag: "--register-key", referenceFlag: "--reference-key"}
	set.StringVar(&f.register.file, "register", "", "register the schema in this file first, if it is not there and the registry's rules let it in")
	set.StringArrayVar(&f.register.references, "reference", nil, "NAME=SUBJECT:VERSION that the schema of --register refers to, may be given again")
	set.StringVar(&f.keyRegister.file, "register-key", "", "as --register, for the schema of Avro keys")
	set.StringArrayVar(&f.keyRegister.references, "reference-key", nil, "as --reference, for the schema of --register-key")
}

// choose says in a journey which schemas it uses.
func (f *subjectFlags) choose(p *pipeline.ProduceCSV) error {
	p.Key = f.key
	err := f.checkStrategy()
	if err == nil {
		err = f.chooseValue(p)
	}
	if err == nil {
		err = f.chooseKey(p)
	}
	return err
}

func (f *subjectFlags) checkStrategy() error {
	strategy := pipeline.SubjectStrategy(f.strategy)
	if _, err := strategy.ValueSubject("t", "r"); err != nil {
		return usagef("--subject-strategy is %w", err)
	}
	switch {
	case f.strategy != "" && f.subject != "":
		return usagef("--subject and --subject-strategy exclude each other: the subject is one or the other")
	case f.recordName != "" && !strategy.ByRecord():
		return usagef("--record goes with --subject-strategy record or topic-record: no other subject is named after the record")
	case f.keyRecord != "" && !strategy.ByRecord():
		return usagef("--key-record goes with --subject-strategy record or topic-record: no other subject is named after the record")
	}
	return nil
}

func (f *subjectFlags) chooseValue(p *pipeline.ProduceCSV) (err error) {
	switch {
	case f.schemaID != 0 && f.version != 0:
		return usagef("--schema-id and --version exclude each other: an id is one version's")
	case f.register.file != "" && (f.schemaID != 0 || f.version != 0):
		return usagef("--register uses the schema in its file: leave --schema-id and --version out")
	}
	name := recordOf{f.strategy, "--record", f.recordName, f.register, "--subject"}
	p.Pin = pipeline.Pin{Subject: f.subject, Version: f.version, ID: f.schemaID}
	if p.Register, err = f.register.read(); err != nil || f.subject != "" || f.redriven && f.strategy == "" {
		return err
	}
	record, err := name.find(p.Register)
	if err != nil {
		return err
	}
	if f.schemaID != 0 && (record == "" || f.strategy == "") {
		return nil // an id needs no subject
	}
	if p.Pin.Subject, err = pipeline.SubjectStrategy(f.strategy).ValueSubject(p.Topic, record); err != nil {
		return name.missing()
	}
	return nil
}

// checkKey says whether the flags of keys go together.
func (f *subjectFlags) checkKey() error {
	avro := f.keyFormat == "avro"
	if !avro && f.keyFormat != "plain" && f.keyFormat != "" {
		return usagef("--key-format is %q: use plain or avro", f.keyFormat)
	}
	for _, given := range []struct {
		flag  string
		given bool
	}{
		{"key-subject", f.keySubject != ""}, {"key-version", f.keyVersion != 0}, {"key-record", f.keyRecord != ""}, {"register-key", f.keyRegister.file != ""}, {"reference-key", len(f.keyRegister.references) > 0},
	} {
		if given.given && !avro {
			return usagef("--%s is for Avro keys: add --key-format avro", given.flag)
		}
	}
	switch {
	case avro && len(f.key) == 0 && !f.redriven:
		return usagef("--key-format avro needs the columns that the key is made of: say --key")
	case f.keyRegister.file != "" && f.keyVersion != 0:
		return usagef("--register-key uses the schema in its file: leave --key-version out")
	case f.keySubject != "" && f.keyRecord != "":
		return usagef("--key-subject and --key-record exclude each other: the subject is one or the other")
	}
	return nil
}

func (f *subjectFlags) chooseKey(p *pipeline.ProduceCSV) (err error) {
	if err := f.checkKey(); err != nil || f.keyFormat != "avro" {
		return err
	}
	name := recordOf{f.strategy, "--key-record", f.keyRecord, f.keyRegister, "--key-subject"}
	p.AvroKey = &pipeline.AvroKey{Pin: pipeline.Pin{Subject: f.keySubject, Version: f.keyVersion}}
	if p.AvroKey.Register, err = f.keyRegister.read(); err != nil || f.keySubject != "" {
		return err
	}
	record, err := name.find(p.AvroKey.Register)
	if err != nil {
		return err
	}
	if p.AvroKey.Pin.Subject, err = pipeline.SubjectStrategy(f.strategy).KeySubject(p.Topic, record); err != nil {
		return name.missing()
	}
	if p.Register != nil && p.AvroKey.Register != nil && p.Pin.Subject == p.AvroKey.Pin.Subject && p.Register.Text != p.AvroKey.Register.Text {
		return usagef("--register and --register-key are both for subject %s: give keys a subject of their own with --key-subject", p.Pin.Subject)
	}
	return nil
}

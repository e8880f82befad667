package main

import (
	"strings"

	"github.com/spf13/pflag"

	"stripeline/pipeline"
	"stripeline/schemas/rowplan"
)

// csvFlags are the flags of produce csv.
type csvFlags struct {
	subjectFlags
	topic       string
	sync, acks  bool
	dryRun      bool
	limit       int64
	compression string
	provenance  bool
	maxRejects  rejectBound
	record      recordFlags

	delimiter, quote, escape, comment string
	columns                           []string
	latin1, follow                    bool
	maxRow                            int

	nulls, columnNulls     []string
	timeFormat, dateFormat string
	trim                   bool
	extra                  string
}

func (f *csvFlags) declare(set *pflag.FlagSet) {
	set.StringVarP(&f.topic, "topic", "t", "", "topic to write to")
	f.declareSubjects(set)
	f.declareRegister(set)
	set.BoolVar(&f.sync, "sync", false, "wait for each record before the next")
	set.BoolVar(&f.acks, "acks", false, "print a line per ack: number, partition, offset, milliseconds")
	set.BoolVar(&f.dryRun, "dry-run", false, "type rows and print what they become; send nothing")
	set.Int64VarP(&f.limit, "limit", "n", 20, "rows of a dry run")
	set.StringVar(&f.compression, "compression", "", "none, gzip, snappy, lz4 or zstd")
	set.BoolVar(&f.provenance, "provenance", false, "headers with file and line on every record")
	set.Var(&f.maxRejects, "max-rejects", "stop with exit code 1 at more rejects than this: a number, or a percentage of the rows once 1000 are read (0: never)")
	f.record.declare(set)
	f.declareForm(set)

	set.StringArrayVar(&f.nulls, "null", nil, "text that means null, may be given again")
	set.StringArrayVar(&f.columnNulls, "null-in", nil, "COLUMN=TEXT that means null in that column alone, may be given again")
	set.StringVar(&f.timeFormat, "time-format", "", "format of timestamps: a Go layout, strftime, epoch, epoch-ms, ... (default RFC 3339)")
	set.StringVar(&f.dateFormat, "date-format", "", "format of dates (default YYYY-MM-DD)")
	set.BoolVar(&f.trim, "trim", false, "cut spaces around unquoted cells")
	set.StringVar(&f.extra, "extra", "error", "columns that match no field: error or ignore")
}

// declareForm adds the flags that say how a text is cut into cells.
func (f *csvFlags) declareForm(set *pflag.FlagSet) {
	f.extra = "error"
	set.StringVar(&f.delimiter, "delimiter", ",", "what separates cells (\\t for tab)")
	set.StringVar(&f.quote, "quote", `"`, "what quotes cells (empty: nothing)")
	set.StringVar(&f.escape, "escape", "", "what escapes a byte in a cell")
	set.StringVar(&f.comment, "comment", "", "lines that begin with it are passed over")
	set.StringSliceVar(&f.columns, "columns", nil, "column names of files without a header row")
	set.BoolVar(&f.latin1, "latin1", false, "files are ISO 8859-1, not UTF-8")
	set.BoolVar(&f.follow, "follow", false, "wait for more at the end of a file")
	set.IntVar(&f.maxRow, "max-row", 1<<20, "longest row in bytes")
}

// journey makes the journey that the flags describe.
func (f *csvFlags) journey(files []string) (*pipeline.ProduceCSV, error) {
	p := &pipeline.ProduceCSV{
		Production: pipeline.Production{Files: files, Topic: f.topic, Sync: f.sync, Compression: f.compression, MaxRejects: f.maxRejects.most, MaxShare: f.maxRejects.share},
		Provenance: f.provenance,
	}
	if err := f.choose(p); err != nil {
		return nil, err
	}
	p.CSV = pipeline.CSVOptions{Columns: f.columns, Latin1: f.latin1, MaxRow: f.maxRow, Follow: f.follow}
	for _, b := range []struct {
		flag, text string
		to         *byte
	}{{"delimiter", f.delimiter, &p.CSV.Delimiter}, {"quote", f.quote, &p.CSV.Quote}, {"escape", f.escape, &p.CSV.Escape}, {"comment", f.comment, &p.CSV.Comment}} {
		text := strings.ReplaceAll(b.text, `\t`, "\t")
		if len(text) > 1 {
			return nil, usagef("--%s is %q: give one ASCII character", b.flag, b.text)
		}
		if len(text) == 1 {
			*b.to = text[0]
		} else if b.flag == "quote" {
			*b.to = pipeline.NoQuote
		}
	}
	p.Cells = rowplan.Options{Nulls: f.nulls, TimeFormat: f.timeFormat, DateFormat: f.dateFormat, Trim: f.trim, Columns: map[string]rowplan.Column{}}
	for _, pair := range f.columnNulls {
		column, token, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usagef("--null-in is %q: write it as COLUMN=TEXT", pair)
		}
		c := p.Cells.Columns[column]
		c.Nulls = append(c.Nulls, token)
		p.Cells.Columns[column] = c
	}
	switch f.extra {
	case "error":
	case "ignore":
		p.Cells.IgnoreExtra = true
	default:
		return nil, usagef("--extra is %q: use error or ignore", f.extra)
	}
	return p, nil
}

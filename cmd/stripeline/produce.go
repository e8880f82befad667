package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// produceVerb sends rows or lines to a topic.
func produceVerb(a *app) *cobra.Command {
	return group("produce", "Send CSV rows or plain lines to a topic", produceCSVVerb(a), produceLinesVerb(a))
}

func produceCSVVerb(a *app) *cobra.Command {
	f, w := &csvFlags{}, &watchFlags{}
	cmd := &cobra.Command{
		Use: "csv FILE...|--watch DIR", Short: "Send CSV rows as Avro records, typed by a schema of the registry", Args: w.args,
		Long: `Send CSV rows as Avro records. Columns are matched to the fields of the subject's latest schema by name or alias; gzip and zstd are
recognised by content; - is standard input. A row that does not fit goes to <topic>.rejects as its original bytes, with the reason in
headers, and the exit code is 3.

With --watch each file that arrives in a directory is a run of its own, resumed and recognised by its content like a named one. Files are taken
in the order of their modification time when they have not changed for a second; names that begin with a point or end in .tmp or .part are left
alone. What was sent and recorded is moved to DIR/done, what cannot be sent as a whole to DIR/failed, with the reason in the log.

While brokers or registry are away the run waits, says so, and goes on by itself; --timeout bounds that.`,
		Example: examples(
			"produce csv flights.csv.gz --topic flights --null NA --key carrier",
			"produce csv flights.csv.gz --topic flights --null NA --register flights.avsc --key carrier,flight --key-format avro --register-key key.avsc",
			"produce csv flights.csv --topic flights --register flight.avsc --reference com.acme.Airport=airport-value:1",
			"produce csv 'in/*.csv' --topic flights --dry-run -n 20",
			"produce csv - --topic flights --acks < flights.csv",
			"produce csv --watch in --topic flights --exactly-once --max-rejects 0.5%"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.produceCSV(cmd, csvWork{args, f, w}) },
	}
	f.declare(cmd.Flags())
	w.declare(cmd.Flags())
	return cmd
}

// csvWork is what produce csv was told.
type csvWork struct {
	files []string
	*csvFlags
	watch *watchFlags
}

func (a *app) produceCSV(cmd *cobra.Command, f csvWork) error {
	ctx := cmd.Context()
	if f.topic == "" {
		return usagef("produce csv needs a topic: say --topic")
	}
	p, err := f.journey(f.files)
	if err != nil {
		return err
	}
	f.watch.apply(a, &p.Production)
	p.CSV.Stdin = a.io.in
	registry, err := a.registry()
	if err != nil {
		return err
	}
	p.Registry, p.Writer = registry, registry
	if f.dryRun {
		return a.tryCSV(cmd, p, f.limit)
	}
	return a.send(ctx, sending{&p.Production, f.acks, f.record, p.Run})
}

// sending is a production with what the command line says of it.
type sending struct {
	*pipeline.Production
	acks   bool
	record recordFlags
	run    func(context.Context) (pipeline.RowSummary, error)
}

// send runs a production and prints what came of it.
func (a *app) send(ctx context.Context, p sending) error {
	if err := p.record.check(); err != nil {
		return err
	}
	a.logger = calm(a.logger)
	cluster, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer cluster.Close()
	p.Cluster, p.Progress = cluster, &pipeline.RowProgress{}
	if p.Recording, err = a.recording(ctx, cluster, p.record); err != nil {
		return err
	}
	if p.acks {
		p.Acked = a.printAck
	}
	bar := &progress{}
	if !p.acks { // the lines of acks would tear it apart
		bar = a.progress("produce", sizeOf(p.Files), func() string {
			return rowsNote(p.Progress)
		})
	}
	stop := every(200*time.Millisecond, func() {
		bar.set(p.Progress.Bytes.Load())
		_ = a.output.flush()
	})
	summary, err := p.run(ctx)
	stop()
	bar.done()
	if err == nil || summary.Rows > 0 || len(summary.Earlier) > 0 || p.Watch.Dir != "" {
		a.printSummary(p.Topic, summary)
	}
	if err == nil {
		err = failedFiles(summary, p.Watch.Dir)
	}
	if err != nil {
		return a.missingTopic(err, p.Topic)
	}
	if rejects := summary.Rejects + earlierRejects(summary); rejects > 0 {
		return rejected(rejects, pipeline.RejectsTopic(p.Topic), p.Topic)
	}
	return nil
}

// rowsNote is what a person sees of a run beside its bytes.
func rowsNote(p *pipeline.RowProgress) string {
	note := fmt.Sprintf("%d rows, %d rejects", p.Acked.Load(), p.Rejects.Load())
	if what := p.Waiting(); what != "" {
		note += ", waiting for " + what
	}
	return note
}

func (a *app) printAck(ack pipeline.Ack) {
	ms := float64(ack.Took.Microseconds()) / 1000
	v := map[string]any{"number": ack.Number, "partition": ack.Partition, "offset": ack.Offset, "ms": ms}
	_ = a.output.emitLater(v, func(w io.Writer) { fmt.Fprintf(w, "%d\t%d\t%d\t%.3f\n", ack.Number, ack.Partition, ack.Offset, ms) })
}

func (a *app) printSummary(topic string, s pipeline.RowSummary) {
	if a.settings.Quiet {
		return
	}
	v := map[string]any{
		"topic": topic, "rows": s.Rows, "acked": s.Acked, "rejects": s.Rejects, "bytes": s.Bytes, "blank_lines": s.Blank,
		"seconds": s.Took.Seconds(), "finished": s.Finished, "earlier": s.Earlier,
		"subject": s.Schema.Subject, "version": s.Schema.Version, "schema_id": s.Schema.ID, "moved": s.Moved,
	}
	_ = a.output.emit(v, func(w io.Writer) {
		for _, e := range s.Earlier {
			fmt.Fprintln(w, earlierLine(e))
		}
		fmt.Fprintf(w, "%s: %d rows read, %d acked, %d rejects in %.1f s (%.0f rows/s, %s)\n",
			topic, s.Rows, s.Acked, s.Rejects, s.Took.Seconds(), float64(s.Acked)/max(s.Took.Seconds(), 1e-9), rate(s.Bytes, s.Took))
	})
}

func (a *app) tryCSV(cmd *cobra.Command, p *pipeline.ProduceCSV, n int64) error {
	rejects := int64(0)
	err := p.Try(cmd.Context(), n, func(t pipeline.RowTrial) error {
		if t.Message != "" {
			rejects++
		}
		return a.output.emit(t, func(w io.Writer) {
			if t.Message != "" {
				fmt.Fprintf(w, "%s:%d: reject (%s): %s\n", t.File, t.Line, t.Code, t.Message)
				return
			}
			fmt.Fprintf(w, "%s:%d: %s\n", t.File, t.Line, t.Record)
		})
	})
	if err == nil && rejects > 0 {
		return &exitError{code: exitRejects, err: fmt.Errorf("%d of these rows would be rejected: see the reasons above", rejects)}
	}
	return err
}

// sizeOf is the sum of the files' sizes, 0 when it is unknown or, as for compressed files, says nothing about the rows in them.
func sizeOf(files []string) int64 {
	var sum int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || compressed(name) {
			return 0
		}
		sum += info.Size()
	}
	return sum
}

// compressed says whether a file begins as gzip or zstd does.
func compressed(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	var head [4]byte
	_, _ = io.ReadFull(file, head[:])
	return bytes.HasPrefix(head[:], []byte{0x1f, 0x8b}) || bytes.Equal(head[:], []byte{0x28, 0xb5, 0x2f, 0xfd})
}

// every calls do until the function that it returns is called.
func every(d time.Duration, do func()) (stop func()) {
	ticker := time.NewTicker(d)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				do()
			case <-end:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(end)
		<-ended
	}
}

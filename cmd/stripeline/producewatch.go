package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stripeline/pipeline"
)

// watchFlags say which directory is watched, and for how long a run may wait.
type watchFlags struct {
	dir     string
	once    bool
	timeout time.Duration
}

func (f *watchFlags) declare(set *pflag.FlagSet) {
	set.StringVar(&f.dir, "watch", "", "send the files of this directory as they arrive instead of named ones; they are moved to its folder done, or failed")
	set.BoolVar(&f.once, "once", false, "with --watch: send what is there now, then end")
	declareTimeout(set, &f.timeout)
}

func declareTimeout(set *pflag.FlagSet, to *time.Duration) {
	set.Var((*waitBound)(to), "timeout", "how long brokers or registry may be away in mid-run before it ends with exit code 1 (0: it waits for ever)")
}

// waitBound is the value of --timeout.
type waitBound time.Duration

// Set implements pflag.Value.
func (b *waitBound) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("give a positive duration, as in 5m, or 0 for no bound")
	}
	*b = waitBound(d)
	return nil
}

// String implements pflag.Value.
func (b *waitBound) String() string { return time.Duration(*b).String() }

// Type implements pflag.Value.
func (b *waitBound) Type() string { return "duration" }

// args checks the arguments of a produce verb: files, or a directory to watch.
func (f *watchFlags) args(cmd *cobra.Command, files []string) error {
	switch {
	case f.dir == "" && f.once:
		return usagef("--once is about a watched directory: name one with --watch")
	case f.dir == "" && len(files) == 0:
		return usagef("%s needs files: name them, or a directory with --watch", cmd.CommandPath())
	case f.dir == "":
		return nil
	case len(files) > 0:
		return usagef("--watch %s takes the place of files: leave %s out", f.dir, files[0])
	}
	for _, other := range []string{"follow", "dry-run", "run"} {
		if flag := cmd.Flags().Lookup(other); flag != nil && flag.Changed {
			return usagef("--watch sends each file of a directory to its end, as a run of its own: leave --%s out", other)
		}
	}
	return nil
}

// apply makes a production do what the flags say.
func (f *watchFlags) apply(a *app, p *pipeline.Production) {
	p.Timeout = f.timeout
	p.Watch = pipeline.Watching{Dir: f.dir, Once: f.once, Moved: a.printMoved}
}

func (a *app) printMoved(m pipeline.MovedFile) {
	if a.settings.Quiet {
		return
	}
	_ = a.output.emit(m, func(w io.Writer) {
		switch {
		case m.Error != "":
			fmt.Fprintf(w, "%s: failed: moved to %s\n", m.File, m.To)
			return
		case m.Earlier != nil:
			fmt.Fprintln(w, earlierLine(*m.Earlier))
		}
		fmt.Fprintf(w, "%s: %d rows, %d of them rejects: moved to %s\n", m.File, m.Rows, m.Rejects, m.To)
	})
}

// failedFiles says that files of a watched directory could not be sent.
func failedFiles(s pipeline.RowSummary, dir string) error {
	if s.Moved.Failed == 0 {
		return nil
	}
	return failf("%d of %d files could not be sent: they are in %s/failed, the log says why", s.Moved.Failed, s.Moved.Done+s.Moved.Failed, dir)
}

// rejectBound is the value of --max-rejects: a number, or a percentage of the rows.
type rejectBound struct {
	most  int64
	share float64
}

// Set implements pflag.Value.
func (b *rejectBound) Set(text string) (err error) {
	b.most, b.share, err = pipeline.ParseRejectBound(text)
	return err
}

// String implements pflag.Value.
func (b *rejectBound) String() string {
	if b.share > 0 {
		return fmt.Sprintf("%g%%", b.share)
	}
	return fmt.Sprint(b.most)
}

// Type implements pflag.Value.
func (b *rejectBound) Type() string { return "N|P%" }

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progressDelay keeps short work silent: a bar appears only for what takes longer.
const progressDelay = time.Second

// progress is a bar on a terminal; elsewhere, and under --json or --quiet, it does nothing. Add may be called by any goroutine.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

// progress starts a bar for total bytes (0 when unknown). note, called by the bar's own goroutine, adds what else is known, such as
// "12,000 rows, 3 rejects"; it may be nil. The caller ends it with done.
func (a *app) progress(what string, total int64, note func() string) *progress {
	terminal, ok := a.io.err.(*os.File)
	if !ok || a.settings.JSON || a.settings.Quiet || !term.IsTerminal(int(terminal.Fd())) {
		return &progress{}
	}
	return startProgress(terminal, bar{what: what, total: total, note: note})
}

type bar struct {
	what  string
	total int64
	note  func() string
}

func startProgress(w io.Writer, b bar) *progress {
	delay := make(chan struct{})
	time.AfterFunc(progressDelay, func() { close(delay) })
	bars := mpb.New(mpb.WithOutput(w), mpb.WithWidth(60), mpb.WithRenderDelay(delay), mpb.WithAutoRefresh())
	after := []decor.Decorator{
		decor.CurrentKibiByte(" % .1f"),
		decor.AverageSpeed(decor.SizeB1024(0), " % .1f"),
	}
	if b.total > 0 {
		after = append(after, decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8}))
	}
	if b.note != nil {
		after = append(after, decor.Any(func(decor.Statistics) string { return " " + b.note() }))
	}
	style := mpb.BarFillerBuilder(mpb.BarStyle())
	if b.total <= 0 {
		style = mpb.NopStyle() // nothing to fill: the numbers alone
	}
	return &progress{bars: bars, bar: bars.New(b.total, style,
		mpb.PrependDecorators(decor.Name(b.what)), mpb.AppendDecorators(after...), mpb.BarRemoveOnComplete())}
}

// add counts n more bytes.
func (p *progress) add(n int64) {
	if p.bar != nil {
		p.bar.IncrInt64(n)
	}
}

// set gives the bytes done so far.
func (p *progress) set(n int64) {
	if p.bar != nil {
		p.bar.SetCurrent(n)
	}
}

// done takes the bar away. It may be called more than once.
func (p *progress) done() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
	p.bar = nil
}

// rate is a number per second for people, such as "12.3 MiB/s".
func rate(bytes int64, took time.Duration) string {
	if took <= 0 {
		took = time.Nanosecond
	}
	return fmt.Sprintf("%.1f MiB/s", float64(bytes)/(1<<20)/took.Seconds())
}

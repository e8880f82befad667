package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/client"
)

// ErrGaveUp says that brokers or registry were away for longer than a run may wait.
var ErrGaveUp = errors.New("gave up waiting")

const (
	waitLook     = 100 * time.Millisecond // how often it is looked at what a run waits for
	waitTold     = 2 * time.Second        // after how long a wait is told of
	firstPause   = 50 * time.Millisecond  // before what did not work is tried again
	longestPause = 2 * time.Second
)

// patience knows what a run waits for, tells of it when it lasts, and ends the run when it has lasted too long. A wait is a call of another system,
// or records that are not confirmed, and lasts while nothing at all is confirmed.
type patience struct {
	bound time.Duration // 0: for ever
	log   *slog.Logger
	told  *RowProgress
	sent  *RowProgress

	mu    sync.Mutex
	out   outlet
	what  string // called and not answered, "" while nothing is
	why   error  // of the last try
	signs int64  // calls that were answered
}

func newPatience(p *Production, sent *RowProgress) *patience {
	return &patience{bound: p.Timeout, log: p.Cluster.Logger().With("topic", p.Topic), told: p.Progress, sent: sent}
}

// over says where records go; nil while nowhere.
func (p *patience) over(out outlet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = out
}

// call says that something is asked of another system, until the function that it returns is called.
func (p *patience) call(what string) (answered func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.what
	p.what = what
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.what, p.why = before, nil
		p.signs++
	}
}

// because says why the call that is under way is made again.
func (p *patience) because(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = err
}

// look gives what is waited for, "" for nothing, and a number that grows with every answer.
func (p *patience) look() (what string, signs int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what, signs = p.what, p.signs+p.sent.Acked.Load()+p.sent.Rejects.Load()
	if what == "" && p.out != nil && p.out.Buffered() > 0 {
		what = "the brokers"
	}
	if what != "" && p.why != nil {
		what += " (" + p.why.Error() + ")"
	}
	return what, signs
}

// watch watches until the function that it returns is called. giveUp is called once at most.
func (p *patience) watch(giveUp func(error)) (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.run(stop, giveUp)
	}()
	return func() {
		close(stop)
		<-done
		p.told.waiting.Store(nil)
	}
}

func (p *patience) run(stop <-chan struct{}, giveUp func(error)) {
	ticker := time.NewTicker(waitLook)
	defer ticker.Stop()
	since, before := time.Now(), int64(-1)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		what, signs := p.look()
		if what == "" || signs != before {
			since, before = time.Now(), signs
			p.goesOn()
			continue
		}
		waited := time.Since(since)
		if p.bound > 0 && waited >= p.bound {
			giveUp(fmt.Errorf("%w for %s after %s: the same command goes on behind what was recorded until then", ErrGaveUp, what, p.bound))
			return
		}
		if waited >= waitTold {
			p.waits(what)
		}
	}
}

// waits tells that a wait lasts, in the log once.
func (p *patience) waits(what string) {
	if p.told.waiting.Swap(&what) == nil {
		p.log.Warn("waiting", "for", what)
	}
}

func (p *patience) goesOn() {
	if p.told.waiting.Swap(nil) != nil {
		p.log.Warn("going on")
	}
}

// patiently does something until it works, as long as trying again can help and ctx lets it.
func (r *rowRun) patiently(ctx context.Context, what string, do func() error) error {
	defer r.waits.call(what)()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := do()
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		r.waits.because(err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// passes says whether what brokers or registry answered may be otherwise in a while.
func passes(err error) bool {
	for _, kind := range []error{ErrTakenOver, ErrNotExact, ErrUnknownSchema, client.ErrRefused, client.ErrInvalid, client.ErrConfig, client.ErrResponse} {
		if errors.Is(err, kind) {
			return false
		}
	}
	return !errors.As(err, new(*unsendable)) && !kafka.IsLasting(err)
}

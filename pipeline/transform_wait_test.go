package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/flow"
)

// TestTransformTimeoutEndsAWait: brokers go away in the middle; what was done stays done.
func TestTransformTimeoutEndsAWait(t *testing.T) {
	for _, exact := range []bool{false, true} {
		t.Run(fmt.Sprint("exactly once ", exact), func(t *testing.T) {
			w := &runs{rowWorld: newRowWorld(t)}
			w.rows(6)
			g, c, _ := w.gated()
			job, to := w.transform(rowMap)
			job.Cluster, job.ToEnd, job.ExactlyOnce, job.Timeout, job.Observer = c, false, exact, time.Second/2, flow.NewObserver()
			ended := make(chan error, 1)
			go func() {
				_, err := job.Run(t.Context())
				ended <- err
			}()
			link := "transform." + job.From + "." + job.To
			err := job.Observer.Await(t.Context(), func([]flow.LinkStatus) bool { return job.Observer.Link(link).Counts.Done >= 6 })
			if err != nil {
				t.Fatal(err)
			}
			goesOn(t, ended)
			g.set(true)
			if err := <-ended; !errors.Is(err, ErrGaveUp) || !strings.Contains(err.Error(), "the brokers") {
				t.Errorf("it has ended with %v", err)
			}
			g.set(false)
			job.Cluster, job.ToEnd = w.cluster, true
			if s, err := job.Run(t.Context()); err != nil || s.Records > 6 || exact && s.Records != 0 {
				t.Errorf("%+v %v", s, err)
			}
			if _, n := w.printed(Consume{Topic: to}); n < 4 || exact && n != 4 {
				t.Errorf("%d records", n)
			}
		})
	}
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"stripeline/schemas/client"
	"stripeline/schemas/progress"
)

// Register implements Registrar.
func (s *shelf) Register(_ context.Context, subject string, schema client.Schema) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.schemas {
		if known.Subject == subject && known.Text == schema.Text {
			return known.ID, nil
		}
	}
	s.schemas = append(s.schemas, RowSchema{Subject: subject, Version: 1, ID: len(s.schemas) + 1, Text: schema.Text})
	return len(s.schemas), nil
}

// runs is a world whose productions are recorded.
type runs struct {
	*rowWorld
	log   *RunLog
	exact bool
	name  string
}

// eachWay runs a test at least once and exactly once.
func eachWay(t *testing.T, test func(t *testing.T, w *runs)) {
	for name, exact := range map[string]bool{"at-least-once": false, "exactly-once": true} {
		t.Run(name, func(t *testing.T) {
			w := &runs{rowWorld: newRowWorld(t), exact: exact, name: filepath.Join(t.TempDir(), "in.csv")}
			var err error
			if w.log, err = OpenRunLog(t.Context(), w.cluster, w.registry); err != nil {
				t.Fatal(err)
			}
			test(t, w)
		})
	}
}

func (w *runs) write(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.name, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *runs) production(change ...func(*ProduceCSV)) *ProduceCSV {
	p := w.csv(w.name)
	p.Recording = Recording{Log: w.log, ExactlyOnce: w.exact}
	for _, c := range change {
		c(p)
	}
	return p
}

// run sends the file and gives "acked rejects" with what was found of earlier runs.
func (w *runs) run(change ...func(*ProduceCSV)) (string, error) {
	w.t.Helper()
	s, err := w.production(change...).Run(w.t.Context())
	said := fmt.Sprint(s.Acked, " ", s.Rejects)
	for _, e := range s.Earlier {
		said += fmt.Sprintf(" [%d %d %v]", e.Rows, e.Rejects, e.Done)
	}
	return said, err
}

func (w *runs) expect(want string, change ...func(*ProduceCSV)) {
	w.t.Helper()
	if got, err := w.run(change...); err != nil || got != want {
		w.t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// ids gives how often each id is in the topic, as in "1 2*2".
func (w *runs) ids(max int) string {
	w.t.Helper()
	out, _ := w.printed(Consume{})
	var said []string
	for i := range max + 1 {
		if n := strings.Count(out, fmt.Sprintf(`{"id":%d,`, i)); n == 1 {
			said = append(said, fmt.Sprint(i))
		} else if n > 1 {
			said = append(said, fmt.Sprintf("%d*%d", i, n))
		}
	}
	return strings.Join(said, " ")
}

// await waits until the topic holds these ids: on a real broker a transaction is visible a moment after it was committed.
func (w *runs) await(want string, max int) {
	w.t.Helper()
	got := w.ids(max)
	for end := time.Now().Add(10 * time.Second); got != want && time.Now().Before(end); {
		got = w.ids(max)
	}
	if got != want {
		w.t.Errorf("%s in the topic, want %s", got, want)
	}
}

func restart(p *ProduceCSV) { p.Recording.Restart = true }

const recordedText = "id,name,amount\n1,a,1\n2,b,2\nx,c,3\n"

func TestAFinishedRunIsReportedAndGoesOnWhenTheFileHasGrown(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		w.write(recordedText)
		w.expect("2 1")
		w.expect("0 0 [3 1 true]")
		w.write(recordedText + "4,d,4\ny,e,5\n")
		w.expect("1 1 [3 1 false]")
		w.expect("0 0 [5 2 true]")
		w.expect("3 2", restart)
		w.expect("0 0 [5 2 true]")
		w.await("1*2 2*2 4*2", 9)
		if rejects := len(w.rejects()); rejects != 4 {
			t.Errorf("%d rejects", rejects)
		}
	})
}

func TestAChangedTextIsRefusedUnlessItIsAnother(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		head := "id,name,amount\n" + strings.Repeat("7,same,1\n", progress.HeadSize/9+1)
		w.write(head + "1,a,1\n")
		if _, err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.write(head + "2,a,1\n3,b,1\n")
		if got, err := w.run(); !errors.Is(err, ErrChangedText) || got != "0 0" {
			t.Errorf("%s %v", got, err)
		}
		w.write("id,name,amount\n") // its own key, and the beginning of what follows
		w.expect("0 0")
		w.write("id,name,amount\n4,a,1\n")
		w.expect("1 0 [0 0 false]")
		w.write("id,name,amount\n5,a,1\n")
		w.expect("1 0")
		w.await("1 4 5", 6)
	})
}

func TestARunThatFailedGoesOnWhereItWasRecorded(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		text := recordedText + strings.Repeat("7,same,1\n", 1000)
		broken := func(p *ProduceCSV) {
			p.Files, p.Recording.Name = []string{"-"}, "nightly"
			p.CSV.Stdin = io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(errors.New("pulled out")))
		}
		whole := func(p *ProduceCSV) {
			p.Files, p.Recording.Name = []string{"-"}, "nightly"
			p.CSV.Stdin = strings.NewReader(text)
		}
		if got, err := w.run(broken); err == nil || !strings.Contains(err.Error(), "pulled out") {
			t.Errorf("%s %v", got, err)
		}
		list, err := w.log.List(t.Context())
		if err != nil || len(list) != 1 || list[0].State != progress.Stopped || !strings.Contains(list[0].Reason, "pulled out") || list[0].Name != "nightly" {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := w.run(whole); err != nil {
			t.Fatal(err)
		}
		w.expect("0 0 [1003 1 true]", whole)
		if w.exact {
			w.await("1 2", 2)
		} else {
			w.await("1*2 2*2", 2)
		}
		if n := strings.Count(mustPrint(w), `"same"`); n < 1000 || w.exact && n != 1000 {
			t.Errorf("%d rows of 1000", n)
		}
	})
}

func mustPrint(w *runs) string {
	out, _ := w.printed(Consume{})
	return out
}

func TestAnInterruptedRunHasRecordedWhatItSent(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		text := recordedText + strings.Repeat("7,same,1\n", 50_000) + "8,last,1\n"
		w.write(text)
		ctx, stop := context.WithCancel(t.Context())
		p := w.production(func(p *ProduceCSV) {
			p.Acked = func(a Ack) {
				if a.Number == 500 {
					stop()
				}
			}
		})
		s, err := p.Run(ctx)
		if !errors.Is(err, context.Canceled) || s.Acked < 500 {
			t.Fatalf("%+v %v", s, err)
		}
		list, err := w.log.List(t.Context())
		if err != nil || len(list) != 1 || list[0].Reason != interrupted || list[0].Acked != s.Acked || list[0].Rejects != 1 {
			t.Errorf("%+v %v, acked %d", list, err, s.Acked)
		}
		if got, err := w.run(); err != nil || got != fmt.Sprintf("%d 0 [%d 1 false]", 50_003-s.Acked, s.Acked+1) {
			t.Errorf("%s %v", got, err)
		}
		w.await("1 2 7*50000 8", 8)
	})
}

// TestProgressIsRecordedWhileNothingComes: rows of a slow input are recorded, and visible, though no further row comes.
func TestProgressIsRecordedWhileNothingComes(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		reader, writer := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := w.run(func(p *ProduceCSV) { p.Files, p.Recording.Name, p.CSV.Stdin = []string{"-"}, "slow", reader })
			ended <- err
		}()
		if _, err := io.WriteString(writer, recordedText); err != nil {
			t.Fatal(err)
		}
		for seen := false; !seen; {
			list, err := w.log.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen = len(list) == 1 && list[0].Row == 3 && list[0].State == progress.Running
			goesOn(t, ended)
		}
		w.await("1 2", 9)
		writer.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// goesOn ends the test if what it waits for can come no more.
func goesOn(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		t.Fatalf("the run has ended: %v", err)
	default:
	}
}

func TestANewProcessOfARunTakesItOver(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		if !w.exact {
			return // nobody is fenced at least once
		}
		reader, writer := io.Pipe()
		ended := make(chan error, 1)
		named := func(from io.Reader) func(*ProduceCSV) {
			return func(p *ProduceCSV) { p.Files, p.Recording.Name, p.CSV.Stdin = []string{"-"}, "slow", from }
		}
		go func() {
			_, err := w.run(named(reader))
			ended <- err
		}()
		if _, err := io.WriteString(writer, recordedText); err != nil {
			t.Fatal(err)
		}
		for len(mustPrint(w)) == 0 {
			goesOn(t, ended)
		}
		w.expect("1 0 [3 1 false]", named(strings.NewReader(recordedText+"4,d,4\n")))
		_, _ = io.WriteString(writer, "4,d,4\n")
		if err := <-ended; !errors.Is(err, ErrTakenOver) {
			t.Error(err)
		}
		writer.Close()
		w.await("1 2 4", 9)
	})
}

func TestWhatCannotBeRecordedIsRefused(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		w.write(recordedText)
		if _, err := w.run(func(p *ProduceCSV) { p.Recording.Name, p.Files = "x", []string{w.name, w.file(recordedText)} }); !errors.Is(err, ErrOneName) {
			t.Error(err)
		}
		_, err := w.run(func(p *ProduceCSV) { p.Files, p.CSV.Stdin = []string{"-"}, strings.NewReader(recordedText) })
		if w.exact != errors.Is(err, ErrNeedsName) {
			t.Error(err)
		}
		_, err = w.run(func(p *ProduceCSV) { p.Recording.ExactlyOnce, p.MaxRejects, p.Cells.Nulls = false, 1, []string{"2"} })
		if !errors.Is(err, ErrTooManyRejects) {
			t.Error(err)
		}
		if _, err = w.run(func(p *ProduceCSV) { p.Recording.ExactlyOnce = true }); !errors.Is(err, ErrNotExact) {
			t.Error(err)
		}
	})
}

package pipeline

import (
	"io"
	"strconv"
	"testing"
)

// TestARowIsSentBeforeTheNextIsAtHand: what comes slowly does not wait for company, be it a row or a reject.
func TestARowIsSentBeforeTheNextIsAtHand(t *testing.T) {
	w := newRowWorld(t)
	reader, writer := io.Pipe()
	confirmed := make(chan int64, 1)
	p := w.csv("-")
	p.CSV.Stdin = reader
	progress := &RowProgress{}
	p.Progress = progress
	p.Acked = func(a Ack) { confirmed <- a.Number }
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(t.Context())
		ended <- err
	}()
	if _, err := io.WriteString(writer, "id,name,amount\nbad,a,1\n"); err != nil {
		t.Fatal(err)
	}
	for progress.Rejects.Load() == 0 {
		goesOn(t, ended)
	}
	for i := range 3 {
		if _, err := io.WriteString(writer, strconv.Itoa(i)+",a,1\n"); err != nil {
			t.Fatal(err)
		}
		if n := <-confirmed; n != int64(i)+1 {
			t.Fatalf("record %d is confirmed, want %d", n, i+1)
		}
	}
	writer.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

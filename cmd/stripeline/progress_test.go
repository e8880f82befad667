package main

import (
	"strings"
	"testing"
)

func TestProgressShowsTheNoteAndGoesAway(t *testing.T) {
	shown := make(chan struct{})
	out := &watched{text: "7 rows", seen: func() { close(shown) }}
	p := startProgress(out, bar{what: "produce", total: 100, note: func() string { return "7 rows" }})
	p.set(50)
	<-shown
	p.done()
	p.done()
	if !strings.Contains(out.String(), "produce") {
		t.Errorf("printed %q", out.String())
	}
}

package lawtest

// FoldLaws checks the laws of a fold with one history. After record i, record repeats[i] modulo i+1 of the history
// is heard again. It gives the first breach.
func FoldLaws[S, In, Out any](c FoldCase[S, In, Out], history []In, repeats []int) error {
	heard := &hearing[S, In, Out]{c: c, s: c.New(), latest: map[string]string{}}
	again := &hearing[S, In, Out]{c: c, s: c.New(), latest: map[string]string{}}
	for i := range history {
		if err := heard.hear(history[i]); err != nil {
			return err
		}
		if err := again.hear(history[i]); err != nil {
			return err
		}
		if a, b := heard.account(), again.account(); a != b {
			return breach("deterministic", "record %d of the same history gave %s\nand then %s", i, a, b)
		}
		for _, repeat := range []int{i, repeats[i] % (i + 1)} {
			if err := heard.repeat(history[repeat], repeat); err != nil {
				return err
			}
		}
	}
	return heard.unchanged()
}

// hearing is one run of a fold.
type hearing[S, In, Out any] struct {
	c       FoldCase[S, In, Out]
	s       S
	last    string            // what the last record gave: outputs and error
	latest  map[string]string // of each key
	emitted []Out
	dumps   []string // of emitted, when they were emitted
}

func (h *hearing[S, In, Out]) state() string {
	if h.c.View != nil {
		return Dump(h.c.View(h.s))
	}
	return Dump(h.s)
}

func (h *hearing[S, In, Out]) account() string { return h.last + "\nwith state " + h.state() }

// hear folds a record in and checks that it was only lent. An error leaves the state as it was.
func (h *hearing[S, In, Out]) hear(in In) error {
	in = Clone(in)
	before, from := Dump(in), len(h.emitted)
	s, err := h.c.Fold(h.s, in, func(out Out) {
		h.emitted, h.dumps = append(h.emitted, out), append(h.dumps, Dump(out))
	})
	if err == nil {
		h.s = s
	}
	h.last = errorText(err)
	for _, dump := range h.dumps[from:] {
		h.last += "\n" + dump
	}
	if got := Dump(in); got != before {
		return breach("arguments are lent", "the input was changed: %s\nbefore %s", got, before)
	}
	kept := h.state()
	Scribble(&in)
	if got := h.state(); got != kept {
		return breach("arguments are lent", "the state changed with the input after the call: %s\nbefore %s", got, kept)
	}
	h.remember(from)
	return nil
}

// remember notes the latest output of each key. An output may alias its input, which has been scribbled over since,
// so outputs are watched from here on.
func (h *hearing[S, In, Out]) remember(from int) {
	for i := from; i < len(h.emitted); i++ {
		if h.c.Key != nil {
			h.latest[h.c.Key(h.emitted[i])] = h.dumps[i]
		}
	}
}

func (h *hearing[S, In, Out]) repeat(in In, number int) error {
	before, from := h.state(), len(h.emitted)
	latest := make(map[string]string, len(h.latest))
	for key, dump := range h.latest {
		latest[key] = dump
	}
	if err := h.hear(in); err != nil {
		return err
	}
	if got := h.state(); got != before {
		return breach("twice is once", "record %d heard again made the state %s\nbefore %s", number, got, before)
	}
	for i := from; i < len(h.emitted); i++ {
		key := ""
		if h.c.Key != nil {
			key = h.c.Key(h.emitted[i])
		}
		if key == "" || latest[key] != h.dumps[i] {
			return breach("twice is once", "record %d heard again emitted %s", number, h.dumps[i])
		}
	}
	return nil
}

func (h *hearing[S, In, Out]) unchanged() error {
	for i, out := range h.emitted {
		if got := Dump(out); got != h.dumps[i] {
			return breach("arguments are lent", "an output was changed after it was emitted: %s\nbefore %s", got, h.dumps[i])
		}
	}
	return nil
}

package lawtest

// StageLaws checks the laws of a stage with two inputs and gives the first breach.
func StageLaws[In, Out any](stage func(In, func(Out)) error, a, b In) error {
	alone := call(stage, Clone(b))
	first, lent := call(stage, a), Clone(a)
	if got := Dump(a); got != first.before {
		return breach("arguments are lent", "the input was changed: %s\nbefore %s", got, first.before)
	}
	if got := call(stage, lent).out; got != first.out {
		return breach("deterministic", "the same input gave %s\nand then %s", first.out, got)
	}
	Scribble(&a)
	Scribble(&lent)
	if got := call(stage, b).out; got != alone.out {
		return breach("arguments are lent", "with an earlier input changed after its call the next gave %s\nalone %s", got, alone.out)
	}
	return nil
}

type called struct{ before, out string }

func call[In, Out any](stage func(In, func(Out)) error, in In) called {
	c := called{before: Dump(in)}
	err := stage(in, func(out Out) { c.out += Dump(out) + "\n" })
	c.out += errorText(err)
	return c
}

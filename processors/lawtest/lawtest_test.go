package lawtest

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

type word struct {
	id   int
	text []byte
}

func drawWord(t *rapid.T) word {
	return word{rapid.IntRange(0, 3).Draw(t, "id"), rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "text")}
}

type seen struct {
	words map[int]string
	total *int
}

// keepSet is a lawful fold: it remembers the first text of each id.
func keepSet(s seen, in word, emit func(word)) (seen, error) {
	if in.id == 3 {
		return s, errors.New("no such id")
	}
	if _, known := s.words[in.id]; !known {
		s.words[in.id] = string(in.text)
	}
	emit(word{in.id, []byte(s.words[in.id])})
	return s, nil
}

func setCase(fold func(seen, word, func(word)) (seen, error)) FoldCase[seen, word, word] {
	return FoldCase[seen, word, word]{
		New:     func() seen { return seen{map[int]string{}, new(int)} },
		Fold:    fold,
		History: func(t *rapid.T) []word { return rapid.SliceOfN(rapid.Custom(drawWord), 0, 6).Draw(t, "history") },
		Key:     func(w word) string { return fmt.Sprint(w.id) },
	}
}

func TestLawfulOnesPass(t *testing.T) {
	Fold(t, setCase(keepSet))
	Stage(t, func(in word, emit func([]byte)) error { emit(in.text); return nil }, drawWord)
}

func TestUnlawfulStagesAreFound(t *testing.T) {
	calls, kept := 0, []byte(nil)
	for name, stage := range map[string]func(word, func([]byte)) error{
		"counts calls":      func(_ word, emit func([]byte)) error { calls++; emit([]byte{byte(calls)}); return nil },
		"changes its input": func(in word, _ func([]byte)) error { in.text[0]++; return nil },
		"keeps its input": func(in word, emit func([]byte)) error {
			emit(append([]byte{}, kept...))
			kept = in.text
			return nil
		},
		"gives another error": func(word, func([]byte)) error { calls++; return fmt.Errorf("call %d", calls) },
	} {
		err := StageLaws(stage, word{1, []byte("one")}, word{2, []byte("two")})
		if !errors.Is(err, ErrUnlawful) {
			t.Errorf("a stage that %s: %v", name, err)
		}
	}
}

func TestUnlawfulFoldsAreFound(t *testing.T) {
	var emitted []byte
	shared := []byte{0}
	for name, fold := range map[string]func(seen, word, func(word)) (seen, error){
		"counts": func(s seen, _ word, _ func(word)) (seen, error) { *s.total++; return s, nil },
		"emits what is not its key's latest": func(s seen, in word, emit func(word)) (seen, error) {
			emit(word{0, in.text})
			emit(word{0, []byte("later")})
			return s, nil
		},
		"changes its input": func(s seen, in word, _ func(word)) (seen, error) { in.text[0]++; return s, nil },
		"changes what it emitted": func(s seen, _ word, emit func(word)) (seen, error) {
			emitted = shared
			emit(word{1, emitted})
			shared[0]++
			return s, nil
		},
		"depends on more than its input": func(s seen, _ word, _ func(word)) (seen, error) {
			shared[0]++
			s.words[int(shared[0])] = "x"
			return s, nil
		},
	} {
		history := []word{{1, []byte("a")}, {2, []byte("b")}, {1, []byte("c")}}
		if err := FoldLaws(setCase(fold), history, []int{0, 0, 1}); !errors.Is(err, ErrUnlawful) {
			t.Errorf("a fold that %s: %v", name, err)
		}
	}
}

func TestAFoldThatKeepsItsInputIsFound(t *testing.T) {
	c := FoldCase[[]byte, word, word]{
		New:  func() []byte { return nil },
		Fold: func(_ []byte, in word, _ func(word)) ([]byte, error) { return in.text, nil },
	}
	if err := FoldLaws(c, []word{{1, []byte("a")}}, []int{0}); !errors.Is(err, ErrUnlawful) {
		t.Error(err)
	}
}

func TestCloneSharesNothingAndDumpSeesEverything(t *testing.T) {
	type deep struct {
		p    *word
		list []any
		m    map[string][]int
		f    func()
	}
	v := deep{&word{1, []byte("x")}, []any{word{2, []byte("y")}, nil}, map[string][]int{"k": {1}}, func() {}}
	c := Clone(v)
	if Dump(v) != Dump(c) {
		t.Fatalf("clone differs:\n%s\n%s", Dump(v), Dump(c))
	}
	before := Dump(c)
	v.p.id++
	Scribble(&v)
	v.m["k"][0]++
	if Dump(c) != before {
		t.Fatalf("the clone changed: %s", Dump(c))
	}
	if Dump(v) == before {
		t.Fatal("the dump does not see changes")
	}
}

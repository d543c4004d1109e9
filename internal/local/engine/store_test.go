package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A store does what a sorted map would do.
func TestStoreAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := newStore[int]()
	model := map[string]int{}
	key := func() string { return fmt.Sprintf("%03d", r.IntN(300)) }
	for i := range 20_000 {
		k := key()
		switch r.IntN(4) {
		case 0:
			s.delete(k)
			delete(model, k)
		case 1:
			got, found := s.get(k)
			want, wantFound := model[k]
			if got != want || found != wantFound {
				t.Fatalf("get(%s) = %d, %v; want %d, %v", k, got, found, want, wantFound)
			}
		default:
			s.set(k, i)
			model[k] = i
		}
		if s.len() != len(model) {
			t.Fatalf("length %d, want %d", s.len(), len(model))
		}
		if i%500 == 0 {
			checkWalks(t, s, model, key(), key())
		}
	}
	checkWalks(t, s, model, "", "")
}

func checkWalks(t *testing.T, s store[int], model map[string]int, from, to string) {
	t.Helper()
	want := slices.DeleteFunc(slices.Sorted(maps.Keys(model)), func(k string) bool { return k < from || to != "" && k >= to })
	var up, down []string
	for k, v := range s.ascend(from, to) {
		if v != model[k] {
			t.Fatalf("value of %s is %d, want %d", k, v, model[k])
		}
		up = append(up, k)
	}
	for k := range s.descend(from, to) {
		down = append(down, k)
	}
	slices.Reverse(down)
	if !slices.Equal(up, want) || !slices.Equal(down, want) {
		t.Fatalf("from %q to %q:\n up %v\ndown %v\nwant %v", from, to, up, down, want)
	}
	for k := range s.ascend(from, to) { // stopping early is allowed
		if k != want[0] {
			t.Fatalf("first is %s, want %s", k, want[0])
		}
		break
	}
}

func TestEmptyStore(t *testing.T) {
	s := newStore[int]()
	for k := range s.ascend("", "") {
		t.Errorf("found %s", k)
	}
	for k := range s.descend("", "") {
		t.Errorf("found %s", k)
	}
	s.delete("x")
	if _, found := s.get("x"); found || s.len() != 0 {
		t.Error("an empty store holds something")
	}
}

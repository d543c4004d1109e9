package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// The skip list does what a sorted map would do.
func TestSkipListAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	l := newSkipList[int]()
	model := map[string]int{}
	key := func() string { return fmt.Sprintf("%03d", r.IntN(300)) }
	for i := range 20_000 {
		k := key()
		switch r.IntN(4) {
		case 0:
			l.delete(k)
			delete(model, k)
		case 1:
			got, found := l.get(k)
			want, wantFound := model[k]
			if got != want || found != wantFound {
				t.Fatalf("get(%s) = %d, %v; want %d, %v", k, got, found, want, wantFound)
			}
		default:
			l.set(k, i)
			model[k] = i
		}
		if l.len() != len(model) {
			t.Fatalf("length %d, want %d", l.len(), len(model))
		}
		if i%500 == 0 {
			checkWalks(t, l, model, key(), key())
		}
	}
	checkWalks(t, l, model, "", "")
}

func checkWalks(t *testing.T, l *skipList[int], model map[string]int, from, to string) {
	t.Helper()
	want := slices.DeleteFunc(slices.Sorted(maps.Keys(model)), func(k string) bool { return k < from || to != "" && k >= to })
	var up, down []string
	for k, v := range l.ascend(from, to) {
		if v != model[k] {
			t.Fatalf("value of %s is %d, want %d", k, v, model[k])
		}
		up = append(up, k)
	}
	for k := range l.descend(from, to) {
		down = append(down, k)
	}
	slices.Reverse(down)
	if !slices.Equal(up, want) || !slices.Equal(down, want) {
		t.Fatalf("from %q to %q:\n up %v\ndown %v\nwant %v", from, to, up, down, want)
	}
	for k := range l.ascend(from, to) { // stopping early is allowed
		if k != want[0] {
			t.Fatalf("first is %s, want %s", k, want[0])
		}
		break
	}
}

func TestEmptySkipList(t *testing.T) {
	l := newSkipList[int]()
	for k := range l.ascend("", "") {
		t.Errorf("found %s", k)
	}
	for k := range l.descend("", "") {
		t.Errorf("found %s", k)
	}
	l.delete("x")
	if _, found := l.get("x"); found || l.len() != 0 {
		t.Error("an empty list holds something")
	}
}

package streams

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// world is a stream that all kinds of things happen to, and what is known of it without asking it.
type world struct {
	t        *testing.T
	registry *Registry
	stream   *Stream
	clock    *clock.Manual
	random   *rand.Rand

	versions map[int]int // of each item
	written  []written
	parents  map[string]string
}

// written is a record: the item's version, and where it went.
type written struct {
	item, version int
	number, shard string
	at            time.Time
}

func (w *world) write() {
	id := w.random.IntN(12)
	w.versions[id]++
	change := changeOf(id, w.clock.Now())
	change.New = attr.Item{"id": change.Keys["id"], "v": numberOf(w.versions[id])}
	number := w.stream.last + 1
	w.stream.Append(change)
	for _, sh := range w.stream.shards {
		if got, _ := sh.history.page(number-1, 2, math.MaxInt, w.stream.size); len(got) > 0 {
			w.written = append(w.written, written{id, w.versions[id], got[0].sequence.String(), sh.id, w.clock.Now()})
		}
	}
	if len(w.written) != sum(w.versions) {
		w.t.Fatalf("a write makes no record, or several")
	}
	w.look()
}

func sum(m map[int]int) (total int) {
	for _, n := range m {
		total += n
	}
	return total
}

func numberOf(n int) attr.Value {
	v, _ := attr.Number(fmt.Sprint(n)) // of an int: cannot fail
	return v
}

// look checks what holds for the shards at any time.
func (w *world) look() {
	w.t.Helper()
	last := map[string]string{}
	var open []ShardInfo
	before := ""
	for _, sh := range w.stream.Shards() {
		if sh.ID <= before || sh.Closed != (sh.Last != "") || sh.Closed && sh.Last <= sh.First || sh.First <= last[sh.ParentID] {
			w.t.Fatalf("shard %+v after %s, parent's end %s", sh, before, last[sh.ParentID])
		}
		before, last[sh.ID] = sh.ID, sh.Last
		w.parents[sh.ID] = sh.ParentID
		if !sh.Closed {
			open = append(open, sh)
		}
	}
	slices.SortFunc(open, func(a, b ShardInfo) int {
		if a.LowHash < b.LowHash {
			return -1
		}
		return 1
	})
	next := uint64(0)
	for _, sh := range open {
		if sh.LowHash != next {
			w.t.Fatalf("open shards %+v", open)
		}
		next = sh.HighHash + 1
	}
	if len(open) == 0 || open[len(open)-1].HighHash != math.MaxUint64 {
		w.t.Fatalf("open shards %+v", open)
	}
}

func (w *world) openShard() string {
	var open []string
	for _, sh := range w.stream.Shards() {
		if !sh.Closed {
			open = append(open, sh.ID)
		}
	}
	return open[w.random.IntN(len(open))]
}

// descends reports whether a shard is another one or comes from it.
func (w *world) descends(id, from string) bool {
	for ; id != ""; id = w.parents[id] {
		if id == from {
			return true
		}
	}
	return false
}

// reader walks the lineage as a client does: a shard is read to its end before its children are.
type reader struct {
	*world
	name string
	// tokens are where it is in the shards that it reads. A mapping's reader has sequence numbers instead of iterators.
	mapping bool
	tokens  map[string]string
	want    func(written) bool
	seen    map[string]bool
	items   map[int]int
}

func (w *world) newReader(kind int) *reader {
	r := &reader{world: w, tokens: map[string]string{}, seen: map[string]bool{}, items: map[int]int{}}
	horizon, count := w.clock.Now().Add(-Retention), len(w.written)
	switch kind {
	case 0, 1:
		r.name, r.mapping = "TRIM_HORIZON", kind == 1
		r.want = func(x written) bool { return x.at.After(horizon) }
		shards := w.stream.Shards()
		for _, sh := range shards {
			if !slices.ContainsFunc(shards, func(other ShardInfo) bool { return other.ID == sh.ParentID }) {
				r.start(sh.ID, TrimHorizon, "")
			}
		}
	case 2, 3:
		r.name, r.mapping = "LATEST", kind == 3
		later := w.stream.last.String()
		r.want = func(x written) bool { return x.number > later }
		for _, sh := range w.stream.Shards() {
			if !sh.Closed {
				r.start(sh.ID, LatestRecord, "")
			}
		}
	default:
		if count == 0 {
			return w.newReader(0)
		}
		from := w.written[count-1-w.random.IntN(min(count, 20))]
		if !from.at.After(horizon) {
			return w.newReader(0)
		}
		r.name = fmt.Sprintf("at or after %s (%d)", from.number, kind)
		r.want = func(x written) bool {
			return w.descends(x.shard, from.shard) && (x.number > from.number || kind == 4 && x.number == from.number)
		}
		r.start(from.shard, map[int]IteratorType{4: AtSequenceNumber, 5: AfterSequenceNumber}[kind], from.number)
	}
	r.drain()
	return r
}

func (r *reader) start(shard string, kind IteratorType, number string) {
	r.t.Helper()
	if r.mapping {
		r.tokens[shard] = ""
		if kind == LatestRecord {
			r.tokens[shard] = r.stream.Latest(shard)
		}
		return
	}
	token, err := r.stream.Iterator(shard, kind, number)
	if err != nil {
		r.t.Fatal(err)
	}
	r.tokens[shard] = token
}

// read reads a page of a shard and reports whether it had records.
func (r *reader) read(shard string) (some bool) {
	r.t.Helper()
	limit := 1 + r.random.IntN(5)
	token := r.tokens[shard]
	var raw []json.RawMessage
	var ended bool
	if r.mapping {
		records, closed, err := r.stream.Read(shard, token, limit)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, record := range records {
			raw, r.tokens[shard] = append(raw, record.JSON), record.SequenceNumber
		}
		ended = closed
	} else {
		records, next, err := r.registry.Records(token, limit)
		if err != nil {
			r.t.Fatalf("%s: %v", r.name, err)
		}
		raw, r.tokens[shard], ended = records, next, next == ""
	}
	for _, data := range raw {
		r.see(data)
	}
	if ended {
		delete(r.tokens, shard)
		for _, sh := range r.stream.Shards() {
			if sh.ParentID == shard {
				r.start(sh.ID, TrimHorizon, "")
			}
		}
	}
	return len(raw) > 0 || ended
}

func (r *reader) see(data []byte) {
	r.t.Helper()
	var rec struct {
		DynamoDB struct {
			SequenceNumber string
			Keys           struct {
				ID struct {
					S int `json:",string"`
				}
			}
			NewImage struct {
				V struct {
					N int `json:",string"`
				}
			}
		}
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		r.t.Fatal(err)
	}
	d := rec.DynamoDB
	if r.seen[d.SequenceNumber] {
		r.t.Errorf("%s: record %s comes twice", r.name, d.SequenceNumber)
	}
	r.seen[d.SequenceNumber] = true
	if before := r.items[d.Keys.ID.S]; before != 0 && d.NewImage.V.N != before+1 {
		r.t.Errorf("%s: version %d of item %d after %d", r.name, d.NewImage.V.N, d.Keys.ID.S, before)
	}
	r.items[d.Keys.ID.S] = d.NewImage.V.N
}

// touch reads a page of every shard, in any order.
func (r *reader) touch() (some bool) {
	shards := slices.Collect(maps.Keys(r.tokens))
	slices.Sort(shards)
	r.random.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
	for _, shard := range shards {
		some = r.read(shard) || some
	}
	return some
}

func (r *reader) drain() {
	for r.touch() {
		continue
	}
}

// Whatever happens to a stream, and however a reader begins, one that walks the lineage gets each record of its part of the stream
// once, and those of an item in order.
func TestLineageReaders(t *testing.T) {
	for seed := range uint64(12) {
		options := Options{}
		if seed%2 == 0 {
			options.SplitAbove = 4
		}
		if seed%3 == 0 {
			options.RollEvery = 4 * time.Hour
		}
		registry, stream, c := openWith(t, "NEW_IMAGE", options)
		w := &world{t: t, registry: registry, stream: stream, clock: c, random: rand.New(rand.NewPCG(seed, 7)),
			versions: map[int]int{}, parents: map[string]string{}}
		var readers []*reader
		for range 400 {
			switch n := w.random.IntN(60); {
			case n < 40:
				w.write()
			case n < 50:
				if len(readers) > 0 {
					readers[w.random.IntN(len(readers))].touch()
				}
			case n < 52:
				if _, err := stream.Roll(w.openShard()); err != nil {
					t.Fatal(err)
				}
			case n < 54:
				if _, err := stream.Split(w.openShard()); err != nil {
					t.Fatal(err)
				}
			case n < 57:
				if len(readers) < 6 {
					readers = append(readers, w.newReader(w.random.IntN(6)))
				}
			default:
				for range 1 + w.random.IntN(12) { // nobody's iterators expire
					c.Advance(IteratorLife - time.Second)
					for _, r := range readers {
						r.touch()
					}
				}
			}
			w.look()
		}
		if seed%4 == 0 {
			stream.Close()
		}
		for _, r := range readers {
			r.drain()
			for _, x := range w.written {
				if r.want(x) != r.seen[x.number] {
					t.Fatalf("seed %d, %s: record %+v is wanted: %t, seen: %t", seed, r.name, x, r.want(x), r.seen[x.number])
				}
			}
			if seed%4 == 0 && len(r.tokens) > 0 {
				t.Errorf("seed %d, %s: it never ends", seed, r.name)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	_, s, _ := open(t, "KEYS_ONLY")
	root := s.Shards()[0]
	if root.LowHash != 0 || root.HighHash != math.MaxUint64 {
		t.Errorf("%+v", root)
	}
	children, err := s.Split(root.ID)
	if err != nil {
		t.Fatal(err)
	}
	shards := s.Shards()
	if len(shards) != 3 || !shards[0].Closed || shards[1].ID != children[0] || shards[2].ID != children[1] || shards[1].ParentID != root.ID ||
		shards[2].ParentID != root.ID || shards[1].HighHash != math.MaxUint64/2 || shards[2].LowHash != math.MaxUint64/2+1 {
		t.Errorf("%+v", shards)
	}
	_, err = s.Split(root.ID)
	expectCode(t, err, "ValidationException")
	_, err = s.Roll(root.ID)
	expectCode(t, err, "ValidationException")
	_, err = s.Roll("nope")
	expectCode(t, err, "ResourceNotFoundException")

	// Down to a single hash, and no further.
	narrow := children[0]
	for range 63 {
		if children, err = s.Split(narrow); err != nil {
			t.Fatal(err)
		}
		narrow = children[0]
	}
	_, err = s.Split(narrow)
	expectCode(t, err, "ValidationException")
	s.Close()
	_, err = s.Split(children[1])
	expectCode(t, err, "ValidationException")
}

// Keys are spread over the shards, whatever they look like.
func TestHashSpreads(t *testing.T) {
	for name, key := range map[string]func(int) attr.Value{
		"numbers": numberOf,
		"short":   func(i int) attr.Value { return attr.String(fmt.Sprint(i)) },
		"long":    func(i int) attr.Value { return attr.String(fmt.Sprintf("customer#%020d", i)) },
		"binary":  func(i int) attr.Value { return attr.Binary([]byte{byte(i >> 8), byte(i)}) },
	} {
		var counts [16]int
		for i := range 16_000 {
			counts[hashOf(key(i))>>60]++
		}
		for _, n := range counts {
			if n < 800 || n > 1200 {
				t.Errorf("%s: %v", name, counts)
				break
			}
		}
	}
}

func TestSplitUnderLoad(t *testing.T) {
	_, s, c := openWith(t, "KEYS_ONLY", Options{SplitAbove: 10})
	writes := func(n int, keys ...int) {
		for i := range n {
			s.Append(changeOf(keys[i%len(keys)], c.Now()))
		}
	}
	writes(10, 1, 2)
	c.Advance(time.Second)
	writes(10, 1, 2)
	if got := s.Shards(); len(got) != 1 {
		t.Errorf("ten writes a second: %+v", got)
	}
	c.Advance(time.Second)
	writes(100, 1)
	if got := s.Shards(); len(got) != 1 {
		t.Errorf("writes of one key: %+v", got)
	}
	c.Advance(time.Second)
	writes(11, 1, 2)
	got := s.Shards()
	if len(got) != 3 || !got[0].Closed {
		t.Fatalf("eleven writes in a second: %+v", got)
	}
	if a, b := s.openFor(hashOf(attr.String("1"))), s.openFor(hashOf(attr.String("2"))); a == b {
		t.Error("the load was not divided")
	}
	writes(100, 1, 2)
	if got := s.Shards(); len(got) != 3 {
		t.Errorf("each shard has the writes of one key: %+v", got)
	}
}

func TestRollByTheClock(t *testing.T) {
	r, s, c := openWith(t, "KEYS_ONLY", Options{RollEvery: 4 * time.Hour})
	token, err := s.Iterator(s.Shards()[0].ID, TrimHorizon, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Append(changeOf(1, c.Now()))
	for range 16 {
		c.Advance(14*time.Minute + 59*time.Second)
		if _, token = records(t, r, token, 10); token == "" {
			t.Fatal("the shard is closed early")
		}
	}
	c.Advance(time.Minute)
	if _, next := records(t, r, token, 10); next != "" {
		t.Error("a reader does not come to the end of a shard of four hours")
	}
	c.Advance(4 * time.Hour)
	s.Append(changeOf(1, c.Now())) // and a writer opens the next one
	state := s.State()
	if len(state.Shards) != 3 || len(state.Shards[2].Records) != 1 || state.Shards[2].ParentID != state.Shards[1].ID {
		t.Errorf("%+v", state)
	}
}

// What is trimmed is not held any longer, also while nobody but a writer uses the stream.
func TestTrimmedMemoryIsFreed(t *testing.T) {
	_, s, c := open(t, "NEW_IMAGE")
	const perHour, hours = 1000, 100
	for hour := range hours {
		if hour%10 == 0 {
			if _, err := s.Roll(s.open[0].id); err != nil {
				t.Fatal(err)
			}
		}
		for i := range perHour {
			s.Append(changeOf(i, c.Now()))
		}
		c.Advance(time.Hour)
	}
	held, kept := 0, 0
	for _, sh := range s.shards {
		for _, chunk := range sh.history.chunks[:cap(sh.history.chunks)] {
			held += len(chunk)
		}
		kept += len(sh.history.all())
	}
	if kept < 24*perHour || kept > 25*perHour || held > kept+len(s.shards)*chunkLength || len(s.shards) > 5 {
		t.Errorf("%d records in %d shards, %d are held", kept, len(s.shards), held)
	}
	for _, sh := range s.shards {
		for _, r := range sh.history.chunks[0][:sh.history.gone] {
			if r.change.New != nil {
				t.Fatal("a trimmed record holds its image")
			}
		}
	}
}

// Clients walk the lineage while the engine's writers write and shards split: each gets every change once, an item's in order.
func TestReadersAmongWriters(t *testing.T) {
	const writers, items, writes = 4, 10, 300 // of each writer, which has its own items
	c := clock.System()
	registry := New(Options{Account: "000000000000", Region: "us-east-1", Clock: c, SplitAbove: 100})
	e := engine.New(engine.Options{Account: "000000000000", Region: "us-east-1", Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	d, err := e.CreateTable(engine.CreateTable{
		Name: "T", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.S}},
		Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "NEW_IMAGE",
	})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := registry.Lookup(d.StreamARN)

	var readers sync.WaitGroup
	got := make([]map[int]int, 3)
	for i := range got {
		readers.Go(func() { got[i] = follow(t, registry, s) })
	}
	var writing sync.WaitGroup
	for writer := range writers {
		writing.Go(func() {
			for i := range writes {
				item := attr.Item{"id": attr.String(fmt.Sprint(writer*items + i%items)), "v": numberOf(1 + i/items)}
				if _, err := e.Put(engine.Put{Write: engine.Write{Table: "T"}, Item: item}); err != nil {
					t.Error(err)
				}
				if i%60 == 15*writer {
					splitAny(t, s)
				}
			}
		})
	}
	writing.Wait()
	s.Close() // which ends the readers
	readers.Wait()
	for _, versions := range got {
		if len(versions) != writers*items || sum(versions) != writers*writes {
			t.Errorf("a reader has these last versions: %v", versions)
		}
	}
}

// follow reads a stream to its end, children after parents, and gives the last version of each item.
func follow(t *testing.T, registry *Registry, s *Stream) map[int]int {
	r := &reader{world: &world{t: t, registry: registry, stream: s, random: rand.New(rand.NewPCG(5, 5))}, name: "follower",
		tokens: map[string]string{}, seen: map[string]bool{}, items: map[int]int{}}
	r.start(s.Shards()[0].ID, TrimHorizon, "")
	for version := uint64(0); len(r.tokens) > 0 && !t.Failed(); {
		if !r.touch() {
			version, _ = s.Wait(t.Context(), version)
		}
	}
	return r.items
}

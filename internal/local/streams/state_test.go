package streams

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
)

// ledger is a journal that keeps what it is told as a registry would have to be restored from it.
type ledger struct {
	t       *testing.T
	streams []StreamState
}

func (l *ledger) stream(arn string) *StreamState {
	for i := range l.streams {
		if l.streams[i].ARN == arn {
			return &l.streams[i]
		}
	}
	l.t.Fatalf("the journal was never told of stream %s", arn)
	return nil
}

func (l *ledger) shard(arn, id string) *ShardState {
	shards := l.stream(arn).Shards
	for i := range shards {
		if shards[i].ID == id {
			return &shards[i]
		}
	}
	l.t.Fatalf("the journal was never told of shard %s", id)
	return nil
}

func (l *ledger) OpenStream(s StreamState) { l.streams = append(l.streams, s) }

func (l *ledger) CloseStream(arn string, at time.Time) { l.stream(arn).Disabled = at }

func (l *ledger) OpenShard(arn string, sh ShardState) {
	s := l.stream(arn)
	s.Shards = append(s.Shards, sh)
}

func (l *ledger) CloseShard(arn, id string, end uint64, at time.Time) {
	sh := l.shard(arn, id)
	sh.End, sh.Closed = end, at
}

func (l *ledger) AppendRecord(arn, id string, r RecordState) {
	sh := l.shard(arn, id)
	sh.Records = append(sh.Records, r)
}

// Whatever was done to streams, a registry restored from their state, or from what the journal was told, is an equal one and goes on
// where the first one was.
func TestRestore(t *testing.T) {
	for seed := range uint64(20) {
		l := &ledger{t: t}
		r, s, c := openWith(t, "NEW_IMAGE", Options{Journal: l, SplitAbove: 5})
		random := rand.New(rand.NewPCG(seed, 3))
		for range 300 {
			switch random.IntN(40) {
			case 0:
				roll(t, s)
			case 1:
				if _, err := s.Split(s.open[random.IntN(len(s.open))].id); err != nil {
					t.Fatal(err)
				}
			case 2:
				c.Advance(time.Duration(random.IntN(int(3 * time.Hour))))
			case 3:
				if random.IntN(4) == 0 {
					s.Close()
					s = r.Open(s.table).(*Stream)
				}
			default:
				s.Append(changeOf(random.IntN(50), c.Now()))
			}
		}
		state := r.State()
		again, err := Restore(Options{Account: "111111111111", Region: "us-east-1", Clock: c}, state)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := again.State(); !reflect.DeepEqual(got, state) {
			t.Fatalf("seed %d: restored\n got %+v\nwant %+v", seed, got, state)
		}
		told, err := Restore(Options{Account: "111111111111", Region: "us-east-1", Clock: c}, l.streams)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := told.State(); !reflect.DeepEqual(got, state) {
			t.Fatalf("seed %d: restored from the journal\n got %+v\nwant %+v", seed, got, state)
		}

		resumed, _ := again.Lookup(s.ARN())
		s.splitAbove = 0 // what was written within the second is not restored
		for range 100 {
			change := changeOf(random.IntN(50), c.Now())
			s.Append(change)
			resumed.Append(change)
		}
		if !reflect.DeepEqual(s.State(), resumed.State()) {
			t.Errorf("seed %d: the restored stream went on otherwise", seed)
		}
	}
}

func changeOf(id int, at time.Time) engine.Change {
	keys := attr.Item{"id": attr.String(fmt.Sprint(id))}
	return engine.Change{Kind: engine.Insert, Keys: keys, New: keys, At: at}
}

func TestRestoreRefuses(t *testing.T) {
	_, s, c := open(t, "KEYS_ONLY")
	for i := range 4 {
		s.Append(changeOf(i, c.Now()))
	}
	roll(t, s)
	if _, err := s.Split(s.Shards()[1].ID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want string
		harm func(*StreamState)
	}{
		{"", func(*StreamState) {}},
		{"no stream's ARN", func(s *StreamState) { s.ARN = "x" }},
		{"no keys", func(s *StreamState) { s.Table.Keys = nil }},
		{"no shard's ID", func(s *StreamState) { s.Shards[0].ID = "shard" }},
		{"order of the IDs", func(s *StreamState) { s.Shards[0], s.Shards[1] = s.Shards[1], s.Shards[0] }},
		{"order of the IDs", func(s *StreamState) { s.Shards[1].ID = s.Shards[0].ID }},
		{"record 100000000000000000002 is out of order", func(s *StreamState) { s.Shards[0].Records[1].Sequence = 2 }},
		{"record 100000000000000000009 is out of order", func(s *StreamState) { s.Shards[0].Records[3].Sequence = 9 }},
		{"record 100000000000000000002 is out of order", func(s *StreamState) { s.Shards[0].Trimmed = 2 }},
		{"leaves a gap", func(s *StreamState) { s.Shards[3].LowHash++ }},
		{"leaves a gap", func(s *StreamState) { s.Shards[2].HighHash++ }},
		{"every hash", func(s *StreamState) { s.Shards = s.Shards[:3] }},
		{"every hash", func(s *StreamState) { s.Shards = s.Shards[:2] }},
		{"is open", func(s *StreamState) { s.Disabled = start }},
	} {
		state := s.State()
		test.harm(&state)
		_, err := Restore(Options{Clock: c}, []StreamState{state})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	if _, err := Restore(Options{Clock: c}, []StreamState{s.State(), s.State()}); err == nil {
		t.Error("a stream is there twice")
	}
}

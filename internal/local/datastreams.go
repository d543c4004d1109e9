package local

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
)

// streamData keeps a region's streams in a data folder: each stream and each shard as an entry, and records by the hour in which they
// were made, so that those that are past the retention go an hour at a time.
type streamData struct {
	folder  *durable.Folder
	region  string
	streams *durable.Space
	shards  *durable.Space

	mu      sync.Mutex
	closing map[string][]*shardEntry       // by stream, what is kept together with what follows from it
	open    map[string]streams.StreamState // by ARN, without shards
	byID    map[shardID]*shardEntry
	last    uint64
	latest  map[int64]map[*shardEntry]uint64 // by hour, the last record of each shard that has some
}

type shardID struct{ arn, id string }

// shardEntry is a shard without its records. Number is what the keys of its records begin with.
type shardEntry struct {
	Number uint64
	Stream string
	streams.ShardState
}

func newStreamData(f *durable.Folder, region string) *streamData {
	return &streamData{
		folder: f, region: region, streams: f.Space(region + "/streams"), shards: f.Space(region + "/shards"),
		closing: map[string][]*shardEntry{}, open: map[string]streams.StreamState{}, byID: map[shardID]*shardEntry{}, latest: map[int64]map[*shardEntry]uint64{},
	}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

func (d *streamData) recordSpaces() string { return d.region + "/records/" }

func (d *streamData) records(hour int64) *durable.Space {
	return d.folder.Space(fmt.Sprintf("%s%012d", d.recordSpaces(), hour))
}

func (e *shardEntry) key() string { return fmt.Sprintf("%020d", e.Number) }

func recordKey(shard, sequence uint64) string {
	return string(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, shard), sequence))
}

// OpenStream implements [streams.Journal].
func (d *streamData) OpenStream(s streams.StreamState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[s.ARN] = s
	d.streams.Put(s.ARN, s)
}

// CloseStream implements [streams.Journal]. The stream and its shards are closed together.
func (d *streamData) CloseStream(arn string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.open[arn]
	s.Disabled = at
	d.open[arn] = s
	d.folder.Put(append(d.closed(arn), d.streams.Entry(arn, s))...)
}

// closed gives the shards of a stream that are about to be kept as closed or as their children.
func (d *streamData) closed(arn string) []durable.Entry {
	var entries []durable.Entry
	for _, e := range d.closing[arn] {
		entries = append(entries, d.shards.Entry(e.key(), e))
	}
	delete(d.closing, arn)
	return entries
}

// OpenShard implements [streams.Journal]. Children are opened together with the closing of their parent, whose hashes the last of them
// ends: no crash leaves hashes without a shard.
func (d *streamData) OpenShard(arn string, shard streams.ShardState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	e := &shardEntry{Number: d.last, Stream: arn, ShardState: shard}
	d.byID[shardID{arn, shard.ID}] = e
	d.closing[arn] = append(d.closing[arn], e)
	if parent := d.byID[shardID{arn, shard.ParentID}]; parent == nil || parent.HighHash == shard.HighHash {
		d.folder.Put(d.closed(arn)...)
	}
}

// CloseShard implements [streams.Journal].
func (d *streamData) CloseShard(arn, id string, end uint64, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.byID[shardID{arn, id}]
	e.End, e.Closed = end, at
	d.closing[arn] = append(d.closing[arn], e)
}

// AppendRecord implements [streams.Journal].
func (d *streamData) AppendRecord(arn, id string, r streams.RecordState) {
	value := appendChange(nil, r.Change)
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.byID[shardID{arn, id}]
	d.note(e, r)
	d.records(hourOf(r.Change.At)).PutBytes(recordKey(e.Number, r.Sequence), value)
}

// note remembers where the hour's records of the shard end. When the hour is new, it forgets what is past the retention.
func (d *streamData) note(e *shardEntry, r streams.RecordState) {
	hour := hourOf(r.Change.At)
	of := d.latest[hour]
	if of == nil {
		of = map[*shardEntry]uint64{}
		d.latest[hour] = of
		d.forget(r.Change.At.Add(-streams.Retention))
	}
	of[e] = max(of[e], r.Sequence)
}

// forget drops what is older than the horizon: hours of records, shards and streams.
func (d *streamData) forget(horizon time.Time) {
	for hour, of := range d.latest {
		if hour >= hourOf(horizon) {
			continue
		}
		for e, sequence := range of {
			e.Trimmed = max(e.Trimmed, sequence)
			d.shards.Put(e.key(), e)
		}
		d.records(hour).Clear()
		delete(d.latest, hour)
	}
	for id, e := range d.byID {
		if e.End != 0 && e.Closed.Before(horizon) {
			d.shards.Delete(e.key())
			delete(d.byID, id)
		}
	}
	for arn, s := range d.open {
		if !s.Disabled.IsZero() && s.Disabled.Before(horizon) {
			d.streams.Delete(arn)
			delete(d.open, arn)
		}
	}
}

// load reads what the folder has.
func (d *streamData) load() ([]streams.StreamState, error) {
	err := d.streams.Each(func(arn string, text []byte) error {
		var s streams.StreamState
		err := json.Unmarshal(text, &s)
		d.open[arn] = s
		return err
	})
	if err != nil {
		return nil, err
	}
	byNumber := map[uint64]*shardEntry{}
	err = d.shards.Each(func(_ string, text []byte) error {
		e := &shardEntry{}
		if err := json.Unmarshal(text, e); err != nil {
			return err
		}
		d.byID[shardID{e.Stream, e.ID}], byNumber[e.Number] = e, e
		d.last = max(d.last, e.Number)
		return nil
	})
	if err != nil {
		return nil, err
	}
	records, err := d.loadRecords(byNumber)
	if err != nil {
		return nil, err
	}
	return d.assemble(records), nil
}

func (d *streamData) loadRecords(byNumber map[uint64]*shardEntry) (map[*shardEntry][]streams.RecordState, error) {
	all := map[*shardEntry][]streams.RecordState{}
	for _, name := range d.folder.Spaces(d.recordSpaces()) {
		hour, err := strconv.ParseInt(strings.TrimPrefix(name, d.recordSpaces()), 10, 64)
		if err != nil {
			return nil, err
		}
		of := map[*shardEntry]uint64{}
		d.latest[hour] = of
		err = d.folder.Space(name).Each(func(key string, value []byte) error {
			if len(key) != 16 {
				return errors.New("it has a key that is no record's")
			}
			e := byNumber[binary.BigEndian.Uint64([]byte(key))]
			sequence := binary.BigEndian.Uint64([]byte(key[8:]))
			if e == nil || sequence <= e.Trimmed {
				return nil // it is past the retention, and goes with its hour
			}
			change, err := parseChange(string(value))
			all[e] = append(all[e], streams.RecordState{Sequence: sequence, Change: change})
			of[e] = sequence
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (d *streamData) assemble(records map[*shardEntry][]streams.RecordState) []streams.StreamState {
	shards := map[string][]streams.ShardState{}
	for _, e := range d.byID {
		shard := e.ShardState
		shard.Records = records[e]
		slices.SortFunc(shard.Records, func(a, b streams.RecordState) int { return cmp.Compare(a.Sequence, b.Sequence) })
		shards[e.Stream] = append(shards[e.Stream], shard)
	}
	states := make([]streams.StreamState, 0, len(d.open))
	for arn, s := range d.open {
		s.Shards = shards[arn]
		slices.SortFunc(s.Shards, func(a, b streams.ShardState) int { return cmp.Compare(a.ID, b.ID) })
		states = append(states, s)
	}
	return states
}

// A change on disk is its time in nanoseconds since 1970, its kind, what there is of it, and the items, each after its length.
const (
	hasKeys = 1 << iota
	hasOld
	hasNew
	madeByTTL
)

var changeKinds = [...]engine.Kind{engine.Insert, engine.Modify, engine.Remove}

func appendChange(b []byte, c engine.Change) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(c.At.UnixNano())) //nolint:gosec // it comes back the same
	var has byte
	for i, item := range []attr.Item{c.Keys, c.Old, c.New} {
		if item != nil {
			has |= hasKeys << i
		}
	}
	if c.ByTTL {
		has |= madeByTTL
	}
	b = append(b, byte(slices.Index(changeKinds[:], c.Kind)), has)
	for _, item := range []attr.Item{c.Keys, c.Old, c.New} {
		if item == nil {
			continue
		}
		at := len(b)
		b, _ = item.AppendBinary(append(b, 0, 0, 0, 0))         // no error: see there
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4)) //nolint:gosec // an item has 400 KB at most
	}
	return b
}

var errChange = errors.New("it is no change of an item")

func parseChange(text string) (c engine.Change, err error) {
	if len(text) < 10 || int(text[8]) >= len(changeKinds) {
		return c, errChange
	}
	c.At = time.Unix(0, int64(binary.BigEndian.Uint64([]byte(text[:8])))).UTC() //nolint:gosec // see appendChange
	c.Kind = changeKinds[text[8]]
	has := text[9]
	c.ByTTL = has&madeByTTL != 0
	rest := text[10:]
	for i, item := range []*attr.Item{&c.Keys, &c.Old, &c.New} {
		if has&(hasKeys<<i) == 0 {
			continue
		}
		if len(rest) < 4 {
			return c, errChange
		}
		n := uint64(binary.BigEndian.Uint32([]byte(rest[:4])))
		if n > uint64(len(rest)-4) {
			return c, errChange
		}
		if *item, err = attr.ParseBinary(rest[4:][:n]); err != nil {
			return c, err
		}
		rest = rest[4+n:]
	}
	return c, nil
}

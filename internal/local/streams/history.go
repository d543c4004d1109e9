package streams

import (
	"slices"
	"sort"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
)

// record is a change in the stream.
type record struct {
	sequence sequence
	// change has no Keys when an image has them: a map for them would be most of what a record takes.
	change engine.Change
	bytes  int // 0 until somebody asks for the size
}

// image is where the record's keys are.
func (r *record) image() attr.Item {
	switch {
	case r.change.Keys != nil:
		return r.change.Keys
	case r.change.New != nil:
		return r.change.New
	default:
		return r.change.Old
	}
}

// size counts a record as its SizeBytes does: the keys, and again in each image. Only those who read pay for it.
func (s *Stream) size(r *record) int {
	if r.bytes == 0 {
		r.bytes = r.change.Old.Size() + r.change.New.Size()
		for _, name := range s.keys {
			r.bytes += len(name) + r.image()[name].Size()
		}
	}
	return r.bytes
}

// chunkLength is how many records are given back to the memory at once.
const chunkLength = 512

// history is what a shard holds: records in the order of their sequence numbers, in chunks, so that to trim the oldest takes no time
// that depends on how many are left.
type history struct {
	chunks  [][]record // none is empty
	gone    int        // records at the head of the first chunk that are trimmed
	trimmed sequence   // the latest record that is gone; 0 when all are there
}

func (h *history) add(r record) {
	last := len(h.chunks) - 1
	switch {
	case last < 0:
		h.chunks = append(h.chunks, []record{r}) // grows as it is filled: most shards of a test stay small
	case len(h.chunks[last]) == chunkLength:
		h.chunks = append(h.chunks, append(make([]record, 0, chunkLength), r))
	default:
		h.chunks[last] = append(h.chunks[last], r)
	}
}

func (h *history) len() int {
	n := -h.gone
	for _, chunk := range h.chunks {
		n += len(chunk)
	}
	return n
}

// oldest is when the oldest record that is left was made.
func (h *history) oldest() (at time.Time, found bool) {
	if len(h.chunks) == 0 {
		return time.Time{}, false
	}
	return h.chunks[0][h.gone].change.At, true
}

// trim drops the records that are not younger than the horizon.
func (h *history) trim(horizon time.Time) {
	for len(h.chunks) > 0 {
		chunk := h.chunks[0]
		if last := chunk[len(chunk)-1]; last.change.At.After(horizon) {
			break
		}
		h.trimmed, h.gone = chunk[len(chunk)-1].sequence, 0
		h.chunks[0] = nil
		h.chunks = h.chunks[1:]
	}
	if len(h.chunks) == 0 {
		return
	}
	for chunk := h.chunks[0]; !chunk[h.gone].change.At.After(horizon); h.gone++ { // ends, since the chunk's last is younger
		h.trimmed = chunk[h.gone].sequence
		chunk[h.gone] = record{}
	}
}

// page gives the records with a greater sequence number than n: up to limit of them, no more than have the given size together, but
// one in any case. more says that others follow.
func (h *history) page(n sequence, limit, bytes int, size func(*record) int) (page []record, more bool) {
	first := sort.Search(len(h.chunks), func(i int) bool { return h.chunks[i][len(h.chunks[i])-1].sequence > n })
	for i, chunk := range h.chunks[first:] {
		if i == 0 { // trimmed records have the sequence number 0
			chunk = chunk[sort.Search(len(chunk), func(j int) bool { return chunk[j].sequence > n }):]
			page = make([]record, 0, min(limit, len(chunk)+chunkLength*(len(h.chunks)-first-1)))
		}
		for j := range chunk {
			r := &chunk[j]
			if bytes -= size(r); len(page) == limit || len(page) > 0 && bytes < 0 {
				return page, true
			}
			page = append(page, *r)
		}
	}
	return page, false
}

// all gives a copy of the records that are left.
func (h *history) all() []record {
	records := slices.Concat(h.chunks...)
	return records[h.gone:]
}

package records

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"

	"streamgen/internal/filter"
)

// maxEvent is the largest event that a function is invoked with, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxEvent = 6 << 20

// ByShard takes records apart by their shards, in the order in which the shards come first; a shard's records keep theirs.
func ByShard(list []Record) [][]Record {
	var order []string
	shards := map[string][]Record{}
	for _, r := range list {
		if _, seen := shards[r.Shard]; !seen {
			order = append(order, r.Shard)
		}
		shards[r.Shard] = append(shards[r.Shard], r)
	}
	all := make([][]Record, len(order))
	for i, shard := range order {
		all[i] = shards[shard]
	}
	return all
}

// Batches cuts records of a shard as a mapping does: after size of them, or before the event would be too large for Lambda.
func Batches(list []Record, size int) [][]Record {
	var all [][]Record
	for len(list) > 0 {
		n, bytes := 0, len(eventHead)+len(eventTail)
		for n < len(list) && n < size {
			if bytes += len(list[n].JSON) + 1; bytes > maxEvent && n > 0 {
				break
			}
			n++
		}
		all = append(all, list[:n])
		list = list[n:]
	}
	return all
}

// Lanes divides records among n lanes: those of one item are in one lane and keep their order.
func Lanes(list []Record, n int) [][]Record {
	lanes := make([][]Record, n)
	for _, r := range list {
		h := fnv.New32a()
		for _, name := range slices.Sorted(maps.Keys(r.Keys)) {
			h.Write([]byte(name))
			h.Write(r.Keys[name])
		}
		lane := h.Sum32() % uint32(n)
		lanes[lane] = append(lanes[lane], r)
	}
	return slices.DeleteFunc(lanes, func(lane []Record) bool { return len(lane) == 0 })
}

// Filter keeps the records that match one of the patterns; without patterns, all.
func Filter(list []Record, patterns []string) ([]Record, error) {
	if len(patterns) == 0 {
		return list, nil
	}
	parsed := make([]filter.Pattern, len(patterns))
	for i, text := range patterns {
		var err error
		if parsed[i], err = filter.ParsePattern(text); err != nil {
			return nil, err
		}
	}
	var kept []Record
	for _, r := range list {
		if slices.ContainsFunc(parsed, func(p filter.Pattern) bool { return p.Match(r.JSON) }) {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// Verdict is what a function's answer says of the batch that it was invoked with.
type Verdict struct {
	// Done is how many records from the batch's first on Lambda takes for done: all of them when nothing failed.
	Done int
	// Named are the sequence numbers that the answer reports.
	Named []string
	// Why says why the whole batch failed, where no record is to blame.
	Why string
}

// Judge reads an answer as Lambda does. Unless the mapping takes reports of failed items, any answer without a function error is
// success. https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func Judge(batch []Record, payload []byte, functionError string, reports bool) Verdict {
	all := Verdict{Done: len(batch)}
	switch {
	case functionError != "":
		return Verdict{Why: "the function failed"}
	case !reports || len(payload) == 0:
		return all
	}
	var answer any
	if err := json.Unmarshal(payload, &answer); err != nil {
		return Verdict{Why: "the answer is no JSON"}
	}
	var list any
	switch answer := answer.(type) {
	case nil:
		return all
	case string:
		if answer == "" {
			return all
		}
		return Verdict{Why: "the answer is a text"}
	case []any:
		if len(answer) == 0 {
			return all
		}
		return Verdict{Why: "the answer is a list"}
	case map[string]any:
		list = answer["batchItemFailures"]
	default:
		return Verdict{Why: "the answer is no object"}
	}
	if list == nil {
		return all
	}
	items, ok := list.([]any)
	if !ok {
		return Verdict{Why: "batchItemFailures is no list"}
	}
	index := make(map[string]int, len(batch))
	for i, r := range batch {
		index[r.Sequence] = i
	}
	v := all
	for _, item := range items {
		object, _ := item.(map[string]any)
		id, _ := object["itemIdentifier"].(string)
		i, member := index[id]
		if !member {
			return Verdict{Named: v.Named, Why: "the answer reports a record that is not in the batch: " + string(mustJSON(item))}
		}
		v.Named, v.Done = append(v.Named, id), min(v.Done, i)
	}
	return v
}

// mustJSON encodes what was JSON before.
func mustJSON(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

package records

import (
	"hash/fnv"
	"maps"
	"slices"

	"streamgen/internal/batchfailure"
	"streamgen/internal/filter"
)

// maxEvent is the largest event that a function is invoked with, in bytes: 6 MB, and 100 bytes as Lambda itself counts.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxEvent = 6<<20 + 100

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

// Lanes divides records of a shard among n lanes, as a ParallelizationFactor does: those with one partition key, the attribute hashKey, are in
// one lane and keep their order. Which lane that is on AWS nobody knows. Without a hashKey the whole key counts.
func Lanes(list []Record, n int, hashKey string) [][]Record {
	lanes := make([][]Record, n)
	for _, r := range list {
		h := fnv.New32a()
		if value, known := r.Keys[hashKey]; known {
			h.Write(value)
		} else {
			for _, name := range slices.Sorted(maps.Keys(r.Keys)) {
				h.Write([]byte(name))
				h.Write(r.Keys[name])
			}
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

// Judge reads a function's answer to a batch.
func Judge(batch []Record, payload []byte, functionError string, reports bool) batchfailure.Verdict {
	return batchfailure.Judge(len(batch), func(i int) string { return batch[i].Sequence }, payload, functionError, reports)
}

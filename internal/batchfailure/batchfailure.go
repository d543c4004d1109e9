// Package batchfailure reads a function's answer to a batch as Lambda does: which records are done, and which come again.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
package batchfailure

import (
	"bytes"
	"encoding/json"
)

// Verdict is what a function's answer says of the batch that it was invoked with.
type Verdict struct {
	// Done is how many records from the batch's first on Lambda takes for done: all of them when nothing failed.
	Done int
	// Named are the sequence numbers that the answer reports.
	Named []string
	// Why says why the whole batch failed, where no record is to blame.
	Why string
}

// Judge reads the answer to a batch of n records, of which sequence gives the sequence numbers. Unless the mapping takes reports of failed
// items, any answer without a function error is success. Names are matched with their case.
func Judge(n int, sequence func(i int) string, payload []byte, functionError string, reports bool) Verdict {
	all := Verdict{Done: n}
	switch {
	case functionError != "":
		return Verdict{Why: "the function failed"}
	case !reports || len(bytes.TrimSpace(payload)) == 0:
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
	if len(items) == 0 {
		return all
	}
	index := make(map[string]int, n)
	for i := range n {
		index[sequence(i)] = i
	}
	v := all
	for _, item := range items {
		object, _ := item.(map[string]any)
		id, _ := object["itemIdentifier"].(string)
		i, member := index[id]
		if !member {
			text, _ := json.Marshal(item) // it was JSON before
			return Verdict{Named: v.Named, Why: "the answer reports a record that is not in the batch: " + string(text)}
		}
		v.Named, v.Done = append(v.Named, id), min(v.Done, i)
	}
	return v
}

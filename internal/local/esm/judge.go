package esm

import (
	"bytes"
	"encoding/json"
)

// judge gives the index of the first record that a function's answer leaves undone: len(batch) when all is well, 0 when the
// whole batch failed. Unless the mapping takes reports of failed items, any answer without a function error is success.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func judge(r Result, batch []Record, reports bool) int {
	const failed = 0
	succeeded := len(batch)
	switch {
	case r.FunctionError != "":
		return failed
	case !reports || empty(r.Payload):
		return succeeded
	}
	// Names are matched with their case, which encoding/json does for maps alone.
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(r.Payload, &answer); err != nil {
		return failed
	}
	list, named := answer["batchItemFailures"]
	if !named {
		return succeeded
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return failed
	}
	index := make(map[string]int, len(batch))
	for i, r := range batch {
		index[r.SequenceNumber] = i
	}
	first := succeeded
	for _, item := range items {
		var id *string
		if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || id == nil {
			return failed
		}
		i, member := index[*id]
		if !member {
			return failed
		}
		first = min(first, i)
	}
	return first
}

// empty says whether an answer is one of those that stand for nothing to report.
func empty(payload []byte) bool {
	var b bytes.Buffer
	if err := json.Compact(&b, payload); err != nil {
		return len(bytes.TrimSpace(payload)) == 0
	}
	switch b.String() {
	case "", "null", `""`, "[]":
		return true
	}
	return false
}

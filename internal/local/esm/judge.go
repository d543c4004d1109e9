package esm

import (
	"bytes"
	"encoding/json"
)

// judge gives how many records at the head of a batch are done by a function's answer, which is all of them when all is well. It is not
// ok when the whole batch failed. Unless the mapping takes reports of failed items, any answer without a function error is success.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func judge(r Result, batch []Record, reports bool) (done int, ok bool) {
	switch {
	case r.FunctionError != "":
		return 0, false
	case !reports || empty(r.Payload):
		return len(batch), true
	}
	// Names are matched with their case, which encoding/json does for maps alone.
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(r.Payload, &answer); err != nil {
		return 0, false
	}
	list, named := answer["batchItemFailures"]
	if !named {
		return len(batch), true
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return 0, false
	}
	index := make(map[string]int, len(batch))
	for i, r := range batch {
		index[r.SequenceNumber] = i
	}
	first := len(batch)
	for _, item := range items {
		var id *string
		if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || id == nil {
			return 0, false
		}
		i, member := index[*id]
		if !member {
			return 0, false
		}
		first = min(first, i)
	}
	return first, first > 0 || len(items) == 0
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

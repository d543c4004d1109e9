package esm

import (
	"encoding/json"

	"streamgen/internal/batchfailure"
)

// judge gives how many records at the head of a batch are done by a function's answer, which is all of them when all is well, and in a
// tumbling window its state. why is not "" when the whole batch failed.
func (l *lane) judge(r Result, batch []Record) (done int, state json.RawMessage, why string) {
	v := batchfailure.Judge(len(batch), func(i int) string { return batch[i].SequenceNumber }, r.Payload, r.FunctionError, l.config.ReportBatchItemFailures)
	switch {
	case r.FunctionError != "":
		return 0, nil, r.FunctionError
	case v.Why != "":
		return 0, nil, v.Why
	case v.Done == 0 && len(v.Named) > 0:
		return 0, nil, "the answer reports the first record"
	case l.window == nil:
		return v.Done, nil, ""
	}
	state, stated := stateOf(r.Payload)
	if !stated {
		return 0, nil, "the answer has no state, and the window needs one"
	}
	return v.Done, state, ""
}

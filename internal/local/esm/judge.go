package esm

import "streamgen/internal/batchfailure"

// judge gives how many records at the head of a batch are done by a function's answer, which is all of them when all is well. why is not
// "" when the whole batch failed.
func judge(r Result, batch []Record, reports bool) (done int, why string) {
	v := batchfailure.Judge(len(batch), func(i int) string { return batch[i].SequenceNumber }, r.Payload, r.FunctionError, reports)
	switch {
	case r.FunctionError != "":
		return 0, r.FunctionError
	case v.Why == "" && v.Done == 0 && len(v.Named) > 0:
		return 0, "the answer reports the first record"
	}
	return v.Done, v.Why
}

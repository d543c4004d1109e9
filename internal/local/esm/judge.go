package esm

import "streamgen/internal/batchfailure"

// judge gives how many records at the head of a batch are done by a function's answer, which is all of them when all is well. It is not
// ok when the whole batch failed.
func judge(r Result, batch []Record, reports bool) (done int, ok bool) {
	v := batchfailure.Judge(len(batch), func(i int) string { return batch[i].SequenceNumber }, r.Payload, r.FunctionError, reports)
	return v.Done, v.Why == "" && (v.Done > 0 || len(v.Named) == 0)
}

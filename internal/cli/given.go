package cli

import (
	"fmt"
	"time"

	"streamgen/internal/records"
	"streamgen/internal/spec"
)

// given is a report of records that were given up, and what becomes of it.
type given struct {
	report records.Report
	store  failureStore
	source spec.Source
	list   []records.Record
	// trimmed says that the stream does not have its whole range.
	trimmed bool

	// From is where the report lies, ID its name there.
	From string `json:"from"`
	ID   string `json:"id"`
	// Condition to Records are the report's own: Records is how many were given up.
	Condition string    `json:"condition"`
	Invokes   int       `json:"approximate_invoke_count"`
	GivenUp   time.Time `json:"given_up"`
	Table     string    `json:"table"`
	Stream    string    `json:"stream_arn"`
	Shard     string    `json:"shard"`
	First     string    `json:"first"`
	Last      string    `json:"last"`
	Records   int       `json:"records"`
	// Found is how many there are to send. Inexact says that these may be others than those that were given up.
	Found   int  `json:"found"`
	Inexact bool `json:"inexact,omitempty"`
	// Status is one of ready, done, failed, gone, unclear and left; Why says why.
	Status givenStatus `json:"status"`
	Why    string      `json:"why,omitempty"`
	// Failed are the records that failed again.
	Failed  []failedRecord `json:"failed,omitempty"`
	Deleted bool           `json:"deleted,omitempty"`
}

type givenStatus string

const (
	givenReady   givenStatus = "ready"   // would be sent
	givenDone    givenStatus = "done"    // all of its records are done
	givenFailed  givenStatus = "failed"  // some failed again
	givenGone    givenStatus = "gone"    // its records are nowhere any more
	givenUnclear givenStatus = "unclear" // which its records are is not known
	givenLeft    givenStatus = "left"    // not come to
)

// failedRecord is a record that a function did not do, as JSON has it.
type failedRecord struct {
	Sequence string `json:"sequence"`
	Record   string `json:"record"`
	Why      string `json:"why"`
}

func failedOf(list []records.Failed) []failedRecord {
	var all []failedRecord
	for _, f := range list {
		all = append(all, failedRecord{f.Record.Sequence, f.Record.String(60), f.Why})
	}
	return all
}

// liesBefore reports whether a report begins before, or with, a record.
func (g *given) liesBefore(sequence string) bool {
	return records.CompareSequence(g.First, sequence) <= 0
}

func later(a, b string) string {
	if records.CompareSequence(a, b) < 0 {
		return b
	}
	return a
}

// clarify looks at reports that overlap, as those of several lanes do. Where all of them together are about as many records as lie there, it
// is known which these are, though not whose.
func clarify(chunk []*given) {
	for len(chunk) > 0 {
		n, last := 1, chunk[0].Last
		for n < len(chunk) && chunk[n].liesBefore(last) {
			last = later(last, chunk[n].Last)
			n++
		}
		together(chunk[:n])
		chunk = chunk[n:]
	}
}

func together(reports []*given) {
	type about struct {
		first, last string
		n           int
	}
	counted, n := map[about]bool{}, 0 // a queue may have a message twice
	var lie []records.Record
	for _, g := range reports {
		if g.trimmed || g.Status == givenGone {
			return
		}
		if a := (about{g.First, g.Last, g.Records}); !counted[a] {
			counted[a] = true
			n += g.Records
		}
		lie = append(lie, g.list...)
	}
	if len(inOrderOnce(lie)) != n {
		return
	}
	for _, g := range reports {
		g.Status, g.Inexact, g.Why = givenReady, false, ""
	}
}

// settle says what became of a report whose records were sent.
func (g *given) settle(done map[string]bool, failed map[string]records.Failed) {
	var again []records.Failed
	g.Status = givenDone
	for _, record := range g.list {
		f, isFailed := failed[record.Sequence]
		switch {
		case isFailed:
			again = append(again, f)
		case !done[record.Sequence]:
			g.Status = givenLeft
		}
	}
	if len(again) > 0 {
		g.Status, g.Failed = givenFailed, failedOf(again)
	}
}

// age tells how long ago a report was made, and how long the stream keeps its records.
func (g *given) age(now time.Time) string {
	text := "given up " + roughly(now.Sub(g.GivenUp)) + " ago"
	if left := g.report.FirstArrival.Add(24 * time.Hour).Sub(now); !g.report.FirstArrival.IsZero() && left > 0 {
		text += ", for " + roughly(left) + " in the stream"
	}
	return text
}

// roughly tells a time to people: in its two largest units at most.
func roughly(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

package judge

import (
	"fmt"
	"slices"
	"strings"
)

// streamChanged is about a table that stays and whose stream ends. A stream's view type cannot be changed: the table gets a new stream
// with a new ARN, and what handlers have not read of the old one stays there, readable for 24 hours
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html).
func streamChanged(c *change) []Finding {
	if c.action != Update || c.was("stream_enabled") != true {
		return nil
	}
	claims := []string{"stream_enabled", "stream_view_type", "stream_arn", "stream_label"}
	if c.turned(false, "stream_enabled") {
		return []Finding{c.finding(Records, "stream-off", High, "turns the table's stream off", claims...).because(
			"Handlers get no more changes of the table. What they have not read yet can be read for 24 hours, by its old ARN.")}
	}
	if c.changes("stream_view_type") {
		return []Finding{c.finding(Records, "stream-replaced", High, "gives the table a new stream, with a new ARN", claims...).because(
			"The view type of a stream cannot be changed. What handlers have not read of the old stream can be read for 24 hours, by its old " +
				"ARN; a mapping of the new stream does not read it.")}
	}
	return nil
}

// source is what a mapping reads.
type source struct{ arn, service string }

func sourceOf(mapping any) source {
	arn := str(at(mapping, "event_source_arn"))
	parts := strings.Split(arn, ":")
	if len(parts) < 3 {
		return source{arn: arn}
	}
	return source{arn: arn, service: parts[2]}
}

// kept says how long a source keeps records that are not read.
func (s source) kept() string {
	switch s.service {
	case "dynamodb":
		return "24 hours"
	case "kinesis":
		return "the stream's retention"
	}
	return "as long as the source keeps them"
}

// isQueue reports whether what is not read waits: a queue has no position.
func isQueue(c *change) bool { return blank(c.was("starting_position")) }

// table is the name of the DynamoDB table that the source is the stream of: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL.
func (s source) table() string {
	_, rest, _ := strings.Cut(s.arn, ":table/")
	name, _, found := strings.Cut(rest, "/stream/")
	if s.service != "dynamodb" || !found {
		return ""
	}
	return name
}

// tableGoes reports whether the same plan destroys the table that a mapping reads: then that is what has to be named.
func (c *change) tableGoes() bool {
	name := sourceOf(c.before).table()
	return name != "" && slices.ContainsFunc(c.plan.changes, func(t *change) bool {
		return t.kind() == tableType && t.destroys() && str(t.was("name")) == name
	})
}

// mappingReplaced is about a mapping that is deleted and made again. It loses its position, and the new one begins where
// starting_position says: at LATEST everything since is skipped, at TRIM_HORIZON up to 24 hours of records come a second time
// (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html). What the old one had not read of another
// stream is read by none.
func mappingReplaced(c *change) []Finding {
	if c.action != Replace {
		return nil
	}
	entire := func(code string, severity Severity, summary string, reasons ...string) Finding {
		return c.entire(Records, code, severity, summary).because(c.why(), c.order()).because(reasons...)
	}
	position := str(c.will("starting_position"))
	switch {
	case isQueue(c):
		return []Finding{entire("mapping-replaced", Low, "makes the mapping again", "What is sent meanwhile waits in the source.")}
	case c.changes("event_source_arn"):
		f := entire("records-skipped", High, "makes the mapping again, on another stream",
			"What the old mapping has not read of the old stream is read by none any more.", startsAt(position))
		if c.tableGoes() {
			return []Finding{f.because("The stream goes with its table, in the same plan.")}
		}
		return []Finding{f.guarded("")}
	case position == "TRIM_HORIZON":
		return []Finding{entire("records-repeated", Medium, "makes the mapping again, which reads the stream from its beginning",
			"The handler gets the records of "+sourceOf(c.before).kept()+" again, also those that it is done with.")}
	default:
		return []Finding{entire("records-skipped", High, "makes the mapping again, which skips records",
			"What is written between the last record that was read and the first that the new mapping reads is skipped.",
			startsAt(position)).guarded("")}
	}
}

func startsAt(position string) string {
	switch position {
	case "":
		return ""
	case "LATEST":
		return "The new one starts at LATEST; it takes up to minutes until it reads."
	}
	return "The new one starts at " + position + "."
}

// mappingDeleted is about a mapping that goes: its position is lost, so that one that is made later cannot go on where it was.
func mappingDeleted(c *change) []Finding {
	if c.action != Delete {
		return nil
	}
	reason := "Its position in the stream is lost: a mapping that is made later begins where its starting_position says."
	if isQueue(c) {
		reason = "What is sent from now on waits in the source."
	}
	return []Finding{c.entire(Records, "mapping-deleted", Medium, "the function gets no more records").because(c.why()).because(reason)}
}

// mappingDisabled is about a mapping that pauses: it keeps its position, but the stream keeps records no longer than 24 hours
// (https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html).
func mappingDisabled(c *change) []Finding {
	if c.action != Update || !c.turned(false, "enabled") {
		return nil
	}
	s := sourceOf(c.before)
	return []Finding{c.finding(Records, "mapping-disabled", High, "the function gets no more records until the mapping is enabled again", "enabled").
		because("Records wait, and those that wait longer than " + s.kept() + " are lost.")}
}

// filterChanged is about what a mapping skips: a record that no pattern matches is done, for good
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html). Patterns are alternatives, so that one more lets more
// through.
func filterChanged(c *change) []Finding {
	const argument = "filter_criteria"
	if c.action != Update || !c.changes(argument) {
		return nil
	}
	before, after := elements(c.was(argument, 0, "filter")), elements(c.will(argument, 0, "filter"))
	removed, _ := unmatched(before, after)
	switch {
	case blank(c.will(argument)) || isMap(c.will(argument, 0)) && blank(c.will(argument, 0, "filter")):
		return []Finding{c.finding(Records, "filter-removed", Low, "the function gets all records", argument)}
	case len(before) > 0 && len(removed) == 0:
		return []Finding{c.finding(Records, "filter-widened", Low, "the function gets more records", argument)}
	case len(before) == 0:
		return []Finding{c.finding(Records, "filter-added", Medium, "the function gets only the records that match", argument).
			because("The others are skipped for good.")}
	}
	return []Finding{c.finding(Records, "filter-changed", Medium, "the function gets other records", argument).
		because("Those that do not match are skipped for good.")}
}

func isUnknown(v any) bool { _, is := v.(unknown); return is }

func destination(mapping any) any {
	return at(mapping, "destination_config", 0, "on_failure", 0, "destination_arn")
}

// destinationRemoved is about where records go that are given up. Without a destination nothing is left of them but a number in a
// metric (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html).
func destinationRemoved(c *change) []Finding {
	const argument = "destination_config"
	if c.action != Update || same(destination(c.before), destination(c.after)) || blank(destination(c.before)) {
		return nil
	}
	if blank(destination(c.after)) {
		return []Finding{c.finding(Records, "destination-removed", High, "records that are given up are lost", argument)}
	}
	return []Finding{c.finding(Records, "destination-changed", Low, "records that are given up go elsewhere", argument)}
}

// failuresUnreported is about a function's answer: without ReportBatchItemFailures Lambda takes any answer for success, and the records
// that a function names as failed are done (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html).
func failuresUnreported(c *change) []Finding {
	const argument, reports = "function_response_types", "ReportBatchItemFailures"
	if c.action != Update || isUnknown(c.will(argument)) ||
		!slices.Contains(texts(c.was(argument)), reports) || slices.Contains(texts(c.will(argument)), reports) {
		return nil
	}
	return []Finding{c.finding(Records, "failures-unreported", High, "records that the function reports as failed are taken for done", argument)}
}

// givesUpSooner is about records that fail: after how many retries, and at what age, they are given up. -1 is never.
func givesUpSooner(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	for _, limit := range []struct{ argument, unit string }{{"maximum_retry_attempts", "retries"}, {"maximum_record_age_in_seconds", "seconds"}} {
		was, is, ok := c.numbers(limit.argument)
		if !ok || is < 0 || was >= 0 && is >= was {
			continue
		}
		severity, reason := Medium, "They go to the mapping's destination."
		if blank(destination(c.after)) {
			severity, reason = High, "The mapping has no destination, so that they are lost."
		}
		before := "never"
		if was >= 0 {
			before = "after " + decimal(was)
		}
		summary := fmt.Sprintf("records that fail are given up after %s %s; before it was %s", decimal(is), limit.unit, before)
		out = append(out, c.finding(Records, "gives-up-sooner", severity, summary, limit.argument).because(reason))
	}
	return out
}

// slower is about a mapping that works less at a time, or on batches as a whole: records wait longer.
func slower(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	if was, is, ok := c.numbers("parallelization_factor"); ok && is < was {
		out = append(out, c.finding(Records, "less-parallel", Low, decimal(is)+" instead of "+decimal(was)+" batches of a shard at a time",
			"parallelization_factor"))
	}
	if c.turned(false, "bisect_batch_on_function_error") {
		out = append(out, c.finding(Records, "bisect-off", Low, "a batch that fails is not halved any more", "bisect_batch_on_function_error").
			because("One bad record takes the others of its batch along when it is given up."))
	}
	return out
}

// batchRaised is about the time that a function has for a record of a full batch: it is its timeout divided by the batch's size. A
// function that runs out of it fails with the whole batch (https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html).
func batchRaised(c *change) []Finding {
	was, is, ok := c.numbers("batch_size")
	if c.action != Update || !ok || is <= was || was <= 0 {
		return nil
	}
	before, after := c.function().timeouts()
	f := c.finding(Records, "less-time", Medium, fmt.Sprintf("up to %s instead of %s records in a batch", decimal(is), decimal(was)), "batch_size")
	if before == 0 || after == 0 {
		return []Finding{f.because("The function has to be done with them within its timeout.")}
	}
	if after/is >= before/was {
		return nil
	}
	return []Finding{f.because(perRecord(before/was, after/is))}
}

// timeoutLowered is the same for the function, by each mapping that has not another batch size at the same time.
func timeoutLowered(c *change) []Finding {
	was, is, ok := c.numbers("timeout")
	if c.action != Update || !ok || is >= was {
		return nil
	}
	var reasons []string
	for _, m := range c.plan.mappings {
		size, has := number(m.will("batch_size"))
		if has && size > 0 && !m.changes("batch_size") && m.function() == c {
			reasons = append(reasons, fmt.Sprintf("%s: %s", m.display(), perRecord(was/size, is/size)))
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	slices.Sort(reasons)
	f := c.finding(Records, "less-time", Medium, fmt.Sprintf("the function has %s instead of %s seconds for a batch", decimal(is), decimal(was)), "timeout")
	for _, reason := range reasons {
		f = f.because(reason)
	}
	return []Finding{f}
}

func perRecord(before, after float64) string {
	return fmt.Sprintf("A record of a full batch has %.3g seconds; before it had %.3g.", after, before)
}

func (c *change) display() string {
	if name := c.plan.name(c.resource.Address); name != "" {
		return name
	}
	return c.resource.Address
}

// function finds the function that a mapping invokes; nil where it is not in the plan.
func (c *change) function() *change {
	return c.plan.functions[functionName(str(c.was("function_name")))]
}

// functionName is the name in any of the forms that Lambda takes: the name, NAME:ALIAS, or arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS].
func functionName(s string) string {
	if _, rest, found := strings.Cut(s, ":function:"); found {
		s = rest
	}
	name, _, _ := strings.Cut(s, ":")
	return name
}

// timeouts are a function's before and after, in seconds; 0 where they are not known.
func (c *change) timeouts() (before, after float64) {
	if c == nil {
		return 0, 0
	}
	before, after, ok := c.numbers("timeout")
	if !ok {
		return 0, 0
	}
	return before, after
}

// functionStopped is about a reserved concurrency of 0: Lambda then refuses every invocation, and records wait until the stream drops
// them (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
func functionStopped(c *change) []Finding {
	is, ok := number(c.will("reserved_concurrent_executions"))
	if c.action != Update || !ok || is != 0 || !c.changes("reserved_concurrent_executions") {
		return nil
	}
	return []Finding{c.finding(Records, "function-stopped", High, "the function is not invoked any more", "reserved_concurrent_executions").
		because("Records wait; a table's stream drops them after 24 hours.")}
}

// functionDeleted is about a function that goes while a mapping still invokes it: the mapping fails until the stream drops the records.
func functionDeleted(c *change) []Finding {
	if c.action != Delete || c.resource.DeposedKey != "" {
		return nil
	}
	name := str(c.was("function_name"))
	for _, m := range c.plan.mappings {
		invokes := m.will("function_name")
		if m.action == Forget { // it lives on
			invokes = m.was("function_name")
		}
		if name != "" && m.action != Replace && functionName(str(invokes)) == name {
			return []Finding{c.entire(Records, "function-deleted", High, "deletes the function that "+m.display()+" invokes").because(c.why()).
				because("The mapping fails from then on; a table's stream drops the records after 24 hours.")}
		}
	}
	return nil
}

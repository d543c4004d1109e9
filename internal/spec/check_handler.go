package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/diag"
)

// checkHandlers holds the handlers to the rules that concern more than one value.
func (d *decoder) checkHandlers(s *Spec) {
	readers := map[string][]string{}
	names := map[string]Handler{}
	for _, h := range s.Handlers {
		if other, taken := names[h.FunctionName]; taken {
			d.report(codeDuplicateItem, h.Origin.Pos, "Give one of them another function_name.", "%s and %s in line %d are the same function %s in AWS",
				quote(h.Name), quote(other.Name), other.Origin.Pos.Line, quote(h.FunctionName))
		}
		names[h.FunctionName] = h
		d.checkEnvironment(s, h)
		d.checkFunction(s, h)
		d.checkResources(s, h)
		d.checkUsed(s, h, "reads", h.Reads)
		d.checkUsed(s, h, "writes", h.Writes)
		d.checkSources(s, h, readers)
	}
}

// checkSources holds a handler's mappings to their rules.
func (d *decoder) checkSources(s *Spec, h Handler, readers map[string][]string) {
	_, one := h.Origin.Keys["table"]
	_, several := h.Origin.Keys["tables"]
	if !one && !several {
		if !d.broken[h.Origin.Path] && !d.broken[join(h.Origin.Path, "table")] && !d.broken[join(h.Origin.Path, "tables")] {
			d.report(codeMissingKey, h.Origin.Pos, "Add table: the table of this spec whose stream the handler reads; or tables, for several.", "a handler needs the key table")
		}
		return
	}
	seen := map[string]bool{}
	for _, source := range h.Sources {
		at := sourcePosition(h, source)
		if seen[source.Table] && source.Table != "" {
			d.report(codeDuplicateItem, at, "Name each table once.", "the handler reads the table %s twice", quote(source.Table))
			continue
		}
		seen[source.Table] = true
		t, ok := d.checkSource(s, h, source, at)
		if !ok {
			continue
		}
		d.checkReaders(h, t, at, readers)
		d.checkMapping(s, h, source)
		d.checkFilter(h, source, t)
	}
}

// sourcePosition is where a handler names the table of a mapping.
func sourcePosition(h Handler, source Source) diag.Position {
	if at, ok := h.Origin.Keys["table"]; ok {
		return at
	}
	return source.Origin.Pos
}

// keyPosition is where a key of a mapping is set: for its table, or for the handler as a whole.
func keyPosition(h Handler, source Source, key string) diag.Position {
	if at, ok := source.Origin.Keys[key]; ok {
		return at
	}
	if at, ok := h.Origin.Keys[key]; ok {
		return at
	}
	return h.Origin.Pos
}

// checkSource gives the table of a mapping if it is there and has a stream.
func (d *decoder) checkSource(s *Spec, h Handler, source Source, at diag.Position) (Table, bool) {
	if source.Table == "" || d.broken[join(h.Origin.Path, "table")] {
		return Table{}, false
	}
	t, ok := d.table(s, source.Table, at, "reads")
	if !ok {
		return Table{}, false
	}
	if _, set := t.Origin.Keys["stream_view_type"]; !set && !d.broken[t.Origin.Path] && !d.broken[join(t.Origin.Path, "stream_view_type")] {
		d.report(codeTableWithoutStream, at,
			fmt.Sprintf("Give the table a stream_view_type, such as NEW_AND_OLD_IMAGES; it stands in line %d.", t.Origin.Pos.Line),
			"the handler reads the table %s, which has no stream", quote(source.Table))
		return Table{}, false
	}
	return t, true
}

// table gives a table that a handler names.
func (d *decoder) table(s *Spec, name string, at diag.Position, does string) (Table, bool) {
	t, ok := s.Table(name)
	if ok || d.broken["tables"] {
		return t, ok
	}
	var names []string
	for _, t := range s.Tables {
		names = append(names, t.Name)
	}
	detail := "Add the table to tables."
	if interpolates(name) {
		detail = "Names are taken literally: an HCL interpolation is not evaluated."
	} else if len(names) > 0 {
		detail = oneOf(name, names, "The tables are")
	}
	d.report(codeUnknownTable, at, detail, "the handler %s the table %s, which is not in this spec", does, quote(name))
	return t, false
}

// checkUsed holds to tables that the function's code can use.
func (d *decoder) checkUsed(s *Spec, h Handler, key string, tables []string) {
	seen := map[string]bool{}
	for _, name := range tables {
		if name == "" {
			continue
		}
		at := h.Origin.Keys[key]
		if seen[name] {
			d.report(codeDuplicateItem, at, "Name each table once.", "%s lists %s twice", key, quote(name))
		}
		seen[name] = true
		if t, ok := d.table(s, name, at, key); ok && t.StreamARN != "" {
			d.report(codeExisting, at, "Name the table by existing: true without stream_arn.", "of the table %s only the stream is known", quote(name))
		}
	}
}

// checkReaders holds to the functions that may read a shard at the same time: two, and one of a global table.
func (d *decoder) checkReaders(h Handler, t Table, at diag.Position, readers map[string][]string) {
	most := 2
	if len(t.Replicas) > 0 {
		most = 1
	}
	others := readers[t.Name]
	if len(others) >= most {
		what := "two handlers"
		detail := "AWS throttles a stream with more than two readers: let one of %s do this handler's work too."
		if most == 1 {
			what, detail = "one handler", "AWS asks for one reader of a table with replicas: let %s do this handler's work too."
		}
		d.report(codeStreamReaders, at, fmt.Sprintf(detail, enumerate(others)), "the stream of the table %s has %s already", quote(t.Name), what)
		return
	}
	readers[t.Name] = append(others, h.Name)
}

// checkFunction holds a function's settings to one another.
func (d *decoder) checkFunction(s *Spec, h Handler) {
	keys := h.Origin.Keys
	if h.ProvisionedConcurrentExecutions > 0 && h.Alias == "" {
		d.report(codeAlias, keys["provisioned_concurrent_executions"], "Add alias: live.", "provisioned concurrency needs an alias: it belongs to a version, not to the function's latest code")
	}
	if n := h.ReservedConcurrentExecutions; n >= 0 && h.ProvisionedConcurrentExecutions > n {
		d.report(codeConcurrency, keys["provisioned_concurrent_executions"], "Raise reserved_concurrent_executions, or lower this.",
			"provisioned concurrency %d is more than the %d that are reserved", h.ProvisionedConcurrentExecutions, n)
	}
	if h.Logging.Format != "JSON" {
		for _, key := range []string{"logging_config.application_log_level", "logging_config.system_log_level"} {
			if at, set := keys[key]; set {
				d.report(codeLogLevel, at, "Write log_format: JSON, or remove it.", "a log level has no effect with log_format Text")
			}
		}
	}
	if h.RenamedFrom != "" && slices.ContainsFunc(s.Handlers, func(other Handler) bool { return other.Name == h.RenamedFrom }) {
		d.report(codeRenamed, keys["renamed_from"], "Remove renamed_from, or the old entry.", "the handler %s, which this one was renamed from, is still in the spec", quote(h.RenamedFrom))
	}
	if n := len(s.NamePrefix) + len(h.FunctionName); n > 64 {
		d.report(codeNameLength, h.Origin.Pos, "Shorten the name, or name_prefix.", "the function name %s has %d characters, more than the 64 that AWS allows", quote(s.NamePrefix+h.FunctionName), n)
	}
}

// checkMapping holds a mapping's settings to one another.
func (d *decoder) checkMapping(s *Spec, h Handler, source Source) {
	const retention = 86_400
	if source.MaximumRecordAge > retention {
		d.warn(codeRecordAge, keyPosition(h, source, "maximum_record_age_in_seconds"), "Write 86400 or less.",
			"the stream keeps a record for 24 hours: a maximum_record_age_in_seconds of %d is never reached", source.MaximumRecordAge)
	}
	d.checkForm(h, source)
	bounded := source.MaximumRetryAttempts >= 0 || source.MaximumRecordAge >= 0
	if bounded && source.OnFailure.Type == "none" {
		key := "maximum_retry_attempts"
		if source.MaximumRetryAttempts < 0 {
			key = "maximum_record_age_in_seconds"
		}
		d.warn(codeDropped, keyPosition(h, source, key), "Add destination_config, or set maximum_retry_attempts and maximum_record_age_in_seconds to -1.",
			"the mapping of table %s drops records that fail, and nothing tells which", quote(source.Table))
	}
	if source.OnFailure.Type == "arn" {
		if parts := strings.SplitN(source.OnFailure.ARN, ":", 6); len(parts) == 6 && parts[3] != "" && parts[3] != s.Region && len(s.Environments) == 0 {
			d.report(codeDestination, keyPosition(h, source, "destination_config.on_failure.destination_arn"), "Name a destination in "+s.Region+".",
				"the destination is in %s, not in the region of the function", parts[3])
		}
		if strings.HasSuffix(source.OnFailure.ARN, ".fifo") {
			d.report(codeDestination, keyPosition(h, source, "destination_config.on_failure.destination_arn"), "Name a standard queue or topic.", "a mapping cannot report to a FIFO queue or topic")
		}
	}
}

// checkForm finds what the form of the handler's function rules out.
func (d *decoder) checkForm(h Handler, source Source) {
	form := ""
	switch {
	case source.TumblingWindow > 0:
		form = "a tumbling window makes one state of all changes"
		if source.Handle == "batch" {
			d.report(codeInvalidValue, keyPosition(h, source, "handle"), "Leave it out: the function of a window gets its changes together.", "%s, so handle says nothing", form)
		}
	case source.Handle == "batch":
		form = "a batch is handled as one"
	}
	if form != "" && source.MaxConcurrency > 1 {
		d.report(codeInvalidValue, keyPosition(h, source, "max_concurrency"), "Leave it out.", "%s, so nothing of it is handled at the same time", form)
	}
}

// checkResources holds what is made for the handler's function to the function's form.
func (d *decoder) checkResources(s *Spec, h Handler) {
	for _, source := range h.Sources {
		window, batch := source.TumblingWindow > 0, source.Handle == "batch"
		if h.Idempotency && (window || batch) {
			d.report(codeInvalidValue, keyPosition(h, source, "idempotency"), "Leave it out, or let the function handle single changes.",
				"idempotency is of single changes: what is handled together is done together")
		}
		if h.ParkingQueue.Enabled && window {
			d.report(codeInvalidValue, keyPosition(h, source, "parking_queue"), "Leave it out.",
				"a tumbling window makes one state of all changes, so none of them can be parked")
		}
	}
	if at, set := h.Origin.Keys["parking_queue.kms_key_arn"]; set && !h.ParkingQueue.Enabled {
		d.report(codeInvalidValue, at, "Write enabled: true below parking_queue, or leave this out.", "the handler has no parking queue to encrypt")
	}
	for _, t := range s.Tables {
		if h.Idempotency && t.TableName == h.FunctionName+IdempotencySuffix {
			d.report(codeDuplicateItem, h.Origin.Keys["idempotency"], "Give the table another name; it stands in line "+strconv.Itoa(t.Origin.Pos.Line)+".",
				"the handler's table of records that are done and the table %s would both be %s in AWS", quote(t.Name), quote(t.TableName))
		}
	}
}

// tables are the names of all tables that the handler reads, as a stream or otherwise, or writes.
func (h Handler) tables() []string {
	names := slices.Concat(h.Reads, h.Writes)
	for _, s := range h.Sources {
		names = append(names, s.Table)
	}
	return names
}

// secretName is what variables are called that hold secrets, reference a value that only says where one is.
var (
	secretName = regexp.MustCompile(`(?i)(^|_)(secret|password|passwd|token|api_?key|private_?key|credentials?)(_|$)`)
	reference  = regexp.MustCompile(`^(arn:|/|https?://)`)
)

// checkEnvironment measures the environment as Lambda does: as JSON.
func (d *decoder) checkEnvironment(s *Spec, h Handler) {
	const most = 4 << 10
	if len(h.Environment) == 0 {
		return
	}
	variables := map[string]string{}
	for _, v := range h.Environment {
		if v.Value != "" && secretName.MatchString(v.Name) && !reference.MatchString(v.Value) {
			d.warn(codeSecretVariable, v.Pos, "Keep the value in Secrets Manager or Parameter Store, and write {secret_arn: …} or {ssm_parameter: …}.",
				"the variable %s looks like a secret, and its value would stand in the state and in the function's configuration", clip(v.Name))
		}
		variables[v.Name] = v.Value + v.Secret + v.SSMParameter
	}
	for _, name := range h.tables() {
		if t, ok := s.Table(name); ok {
			variables[tableVariable+name] = s.NamePrefix + t.TableName
		}
	}
	if h.ParkingQueue.Enabled {
		variables[ParkingVariable] = s.NamePrefix + h.FunctionName + ParkingSuffix
	}
	if h.Idempotency {
		variables[IdempotencyVariable] = s.NamePrefix + h.FunctionName + IdempotencySuffix
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(variables); err != nil {
		d.report(codeInvalidValue, h.Origin.Keys["environment.variables"], "Write them as text.", "the environment variables cannot be encoded: %v", err)
		return
	}
	if n := len(strings.TrimSuffix(out.String(), "\n")); n > most {
		d.report(codeEnvironmentSize, h.Origin.Keys["environment.variables"], "Keep large values in Parameter Store, Secrets Manager or S3 and pass their names.",
			"the environment has %d bytes as JSON, more than the %d that Lambda allows", n, most)
	}
}

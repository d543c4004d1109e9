package spec

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
	"streamgen/internal/filter"
)

var handlerObject = object[Handler]{
	noun:  "a handler",
	keys:  func(h *Handler) *map[string]diag.Position { return &h.Origin.Keys },
	place: func(h *Handler, v value) { h.Origin.Path, h.Origin.Pos = v.path, v.keyPos },
	fields: append([]field[Handler]{
		optional("function_name", "The function's name in AWS, before name_prefix; without it, the name of the entry.",
			handlerNames, func(h *Handler) *string { return &h.FunctionName }),
		optional("table", "The table of this spec whose stream the handler reads.",
			text{min: 1}, func(h *Handler) *string { return &first(&h.Sources).Table }),
		tablesOfHandler(),
		perEnvironment(optional("description", "Description of the function.",
			text{max: 256}, func(h *Handler) *string { return &h.Description })),
		perEnvironment(preset("memory_size", "Memory of the function in MB.",
			integer{min: 128, max: 10240}, func(h *Handler) *int { return &h.MemorySize }, 128)),
		perEnvironment(preset("timeout", "How many seconds one invocation may take.",
			integer{min: 1, max: 900}, func(h *Handler) *int { return &h.Timeout }, 30)),
		perEnvironment(nested("ephemeral_storage", "The function's /tmp.",
			preset("size", "Its size in MB.", integer{min: 512, max: 10240}, func(h *Handler) *int { return &h.EphemeralStorage }, 512))),
		inSchema(preset("architectures", "What the function is compiled for.",
			list1{choice{values: []string{"arm64", "x86_64"}}}, func(h *Handler) *string { return &h.Architecture }, "arm64"), []string{"arm64"}),
		perEnvironment(nested("environment", "The function's environment.",
			optional("variables", "Environment variables, at most 4 KB in all: text, or a reference to a parameter or secret, whose ARN the function gets.",
				sorted(dict[Variable, Variable]{
					names: variableNames, of: variableShape{}, form: "Write NAME: value pairs.",
					join: func(e entry, v Variable) Variable { v.Name, v.Pos = e.key, e.keyPos; return v },
				}, func(v Variable) string { return v.Name }),
				func(h *Handler) *[]Variable { return &h.Environment }))),
		perEnvironment(optional("kms_key_arn", "The customer key that encrypts the environment variables.", kmsKeyARN, func(h *Handler) *string { return &h.KMSKeyARN })),
		perEnvironment(nested("vpc_config", "The subnets and security groups of the function's network interfaces.",
			required("subnet_ids", "Subnets.", list[string]{of: subnetIDs, max: 16, form: "Write a list of subnet ids."}, func(h *Handler) *[]string { return &h.VPC.SubnetIDs }),
			required("security_group_ids", "Security groups.", list[string]{of: groupIDs, max: 5, form: "Write a list of security group ids."}, func(h *Handler) *[]string { return &h.VPC.SecurityGroupIDs }),
			preset("ipv6_allowed_for_dual_stack", "Whether IPv6 may leave dual-stack subnets.", boolean{}, func(h *Handler) *bool { return &h.VPC.IPv6AllowedForDualStack }, false))),
		perEnvironment(nested("tracing_config", "X-Ray.",
			required("mode", "Active traces invocations, PassThrough those that the caller traces.",
				choice{values: []string{"Active", "PassThrough"}}, func(h *Handler) *string { return &h.TracingMode }))),
		perEnvironment(preset("reserved_concurrent_executions", "How many invocations are kept for the function and are the most that it gets; -1 for no reservation.",
			integer{min: -1, max: 100_000}, func(h *Handler) *int { return &h.ReservedConcurrentExecutions }, -1)),
		preset("constructor", "Whether the handler is made by its function New, which gets clients and settings ready once a process.",
			boolean{}, func(h *Handler) *bool { return &h.Constructor }, false),
		preset("emf_metrics", "Whether the function writes metrics of its records into its log, from which CloudWatch takes them.",
			boolean{}, func(h *Handler) *bool { return &h.EMFMetrics }, true),
		nested("parking_queue", "A queue for the records that the handler parks, with stream.Park.",
			preset("enabled", "Whether there is one.", boolean{}, func(h *Handler) *bool { return &h.ParkingQueue.Enabled }, false),
			preset("message_retention_seconds", "How long the queue keeps records.",
				integer{min: 60, max: 1_209_600}, func(h *Handler) *int { return &h.ParkingQueue.MessageRetention }, 1_209_600),
			optional("kms_key_arn", "The customer key that encrypts the queue.", kmsKeyARN, func(h *Handler) *string { return &h.ParkingQueue.KMSKeyARN })),
		preset("idempotency", "Whether a table of the function's own notes which records are done, so that none is handled again after success wherever Lambda delivers it: two writes for each record.",
			boolean{}, func(h *Handler) *bool { return &h.Idempotency }, false),
		optional("alias", "An alias that points to the version published last, which the mappings invoke.", aliasNames, func(h *Handler) *string { return &h.Alias }),
		perEnvironment(optional("provisioned_concurrent_executions", "How many of the alias's environments are kept warm.",
			integer{min: 0, max: 100_000}, func(h *Handler) *int { return &h.ProvisionedConcurrentExecutions })),
		perEnvironment(optional("layers", "ARNs of layer versions.", list[string]{of: layerARNs, max: 5, form: "Write a list of ARNs."}, func(h *Handler) *[]string { return &h.Layers })),
		perEnvironment(nested("log_group", "The function's log group in CloudWatch Logs.",
			preset("retention_in_days", "How many days log events are kept.",
				integer{allowed: retentions}, func(h *Handler) *int { return &h.LogGroup.RetentionInDays }, 30),
			optional("kms_key_id", "The ARN of the customer key that encrypts the log.", kmsKeyARN, func(h *Handler) *string { return &h.LogGroup.KMSKeyID }),
			preset("log_group_class", "The class of the log group.",
				choice{values: []string{"STANDARD", "INFREQUENT_ACCESS"}}, func(h *Handler) *string { return &h.LogGroup.Class }, "STANDARD"))),
		perEnvironment(nested("logging_config", "The form of the function's log.",
			preset("log_format", "Text, or JSON, which levels can filter.", choice{values: []string{"Text", "JSON"}}, func(h *Handler) *string { return &h.Logging.Format }, "Text"),
			optional("application_log_level", "The least level of the function's own lines, with JSON.",
				choice{values: []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}}, func(h *Handler) *string { return &h.Logging.ApplicationLogLevel }),
			optional("system_log_level", "The least level of Lambda's lines, with JSON.",
				choice{values: []string{"DEBUG", "INFO", "WARN"}}, func(h *Handler) *string { return &h.Logging.SystemLogLevel }))),
		perEnvironment(optional("tags", "Tags of the function and its mappings, beside those of the spec.", ownTags(), func(h *Handler) *[]Tag { return &h.Tags })),
		optional("allow", "Further statements for the function's role.",
			list[Statement]{of: allowObject, max: 50, form: `Start each statement with a dash, such as "- actions: [...]".`}, func(h *Handler) *[]Statement { return &h.Allow }),
		optional("reads", "Tables of this spec that the function's code reads.", list[string]{of: text{min: 1}, max: 100, form: "Write a list of tables."}, func(h *Handler) *[]string { return &h.Reads }),
		optional("writes", "Tables of this spec that the function's code writes.", list[string]{of: text{min: 1}, max: 100, form: "Write a list of tables."}, func(h *Handler) *[]string { return &h.Writes }),
		perEnvironment(nested("alarms", "CloudWatch alarms; each goes off above its threshold.",
			profiled("enabled", "Whether there are alarms.", boolean{}, func(h *Handler) *bool { return &h.Alarms.Enabled }, true, false),
			preset("iterator_age", "Milliseconds that records wait in the stream.", integer{min: 0, max: 86_400_000}, func(h *Handler) *int { return &h.Alarms.IteratorAge }, 600_000),
			preset("errors", "Invocations that fail, a minute.", integer{min: 0, max: 1_000_000}, func(h *Handler) *int { return &h.Alarms.Errors }, 0),
			preset("throttles", "Invocations that Lambda does not start, a minute.", integer{min: 0, max: 1_000_000}, func(h *Handler) *int { return &h.Alarms.Throttles }, 0),
			preset("failure_queue", "Messages in the failure queue.", integer{min: 0, max: 1_000_000}, func(h *Handler) *int { return &h.Alarms.FailureQueue }, 0),
			preset("parking_queue", "Records in the parking queue.", integer{min: 0, max: 1_000_000}, func(h *Handler) *int { return &h.Alarms.ParkingQueue }, 0))),
		optional("renamed_from", "The entry's name before it was renamed, so that its mappings keep their place in the stream.",
			handlerNames, func(h *Handler) *string { return &h.RenamedFrom }),
		optional("stack", "The stack that the function is applied with, after the stacks of other tables that it uses. Without it, the main one.",
			stackNames, func(h *Handler) *string { return &h.Stack }),
	}, ofMapping()...),
}

// ofMapping are the keys of a mapping as keys of the handler, where they hold for all its tables.
func ofMapping() []field[Handler] {
	var fields []field[Handler]
	for _, f := range mappingFields {
		fields = append(fields, through(f, func(h *Handler) *Source { return first(&h.Sources) }))
	}
	return fields
}

var mappingFields = []field[Source]{
	perEnvironment(preset("starting_position", "Where in the stream the handler begins: TRIM_HORIZON is the oldest record, LATEST the next one.",
		startingPositions, func(s *Source) *string { return &s.StartingPosition }, "TRIM_HORIZON")),
	perEnvironment(preset("batch_size", "How many records one invocation gets at most.",
		integer{min: 1, max: 10000}, func(s *Source) *int { return &s.BatchSize }, 100)),
	perEnvironment(preset("maximum_batching_window_in_seconds", "How long records are waited for to fill a batch.",
		integer{min: 0, max: 300}, func(s *Source) *int { return &s.MaximumBatchingWindow }, 0)),
	perEnvironment(preset("parallelization_factor", "How many batches of a shard are under way at once; the order for each item holds.",
		integer{min: 1, max: 10}, func(s *Source) *int { return &s.ParallelizationFactor }, 1)),
	perEnvironment(preset("bisect_batch_on_function_error", "Whether a failed batch is split in two to find the record that fails.",
		boolean{}, func(s *Source) *bool { return &s.BisectBatchOnFunctionError }, true)),
	perEnvironment(profiled("maximum_retry_attempts", "How often a failed batch is tried again; -1 until its records expire.",
		integer{min: -1, max: 10000}, func(s *Source) *int { return &s.MaximumRetryAttempts }, 10, -1)),
	perEnvironment(profiled("maximum_record_age_in_seconds", "How old a record may become before it is given up; -1 as long as the stream keeps it, 24 hours.",
		integerOr{integer{min: 60, max: 604_800}, -1}, func(s *Source) *int { return &s.MaximumRecordAge }, 43_200, -1)),
	preset("handle", "What the handler's function gets: each change by itself, or all changes of an invocation as a batch.",
		choice{values: []string{"change", "batch"}}, func(s *Source) *string { return &s.Handle }, "change"),
	preset("max_concurrency", "How many changes one invocation handles at the same time; those of one item keep their order.",
		integer{min: 1, max: 1000}, func(s *Source) *int { return &s.MaxConcurrency }, 1),
	preset("tumbling_window_in_seconds", "The length of windows over which the function keeps state; 0 for none.",
		integer{min: 0, max: 900}, func(s *Source) *int { return &s.TumblingWindow }, 0),
	{
		key: "function_response_types", doc: "What the function's answer can say: ReportBatchItemFailures, unless the list is empty.",
		preset:     []string{"ReportBatchItemFailures"},
		setDefault: func(_ *decoder, s *Source) { s.ReportBatchItemFailures = true },
		decode: func(d *decoder, v value, s *Source, _ keySet) {
			if items, ok := v.node.(*ast.SequenceNode); ok && len(items.Values) == 0 {
				s.ReportBatchItemFailures = false
				return
			}
			list[string]{of: responseTypes, max: 1, form: "Write [ReportBatchItemFailures], or [] for none."}.decode(d, v)
		},
		schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{Type: "array", Items: responseTypes.schema(), MaxItems: bound(1)}
		},
	},
	{
		key: "metrics_config", doc: "Further metrics of the mapping in CloudWatch.", varies: true,
		setDefault: func(*decoder, *Source) {},
		decode: func(d *decoder, v value, s *Source, _ keySet) {
			s.EventCount = metricsObject.decode(d, v)
		},
		schema: metricsObject.schema,
	},
	perEnvironment(preset("enabled", "Whether the mapping reads the stream.", boolean{}, func(s *Source) *bool { return &s.Enabled }, true)),
	optional("on", "The changes that are wanted; without it, all. remove is every removal, ttl_delete only what expired.",
		list[filter.Kind]{of: kinds{choice{values: []string{"insert", "modify", "remove", "ttl_delete"}}}, max: 4, form: "Write a list, such as [insert, modify]."},
		func(s *Source) *[]filter.Kind { return &s.On }),
	optional("changed", "Attributes of which one must differ in a modification; inserts and removals pass.",
		list[string]{of: attributeNames, max: 50, form: "Write a list of attribute names."}, func(s *Source) *[]string { return &s.Changed }),
	optional("where", "A condition that every wanted change meets, such as new.total > 100 && new.status == 'PAID'; see filters.md.",
		conditionShape{}, func(s *Source) *Where { return &s.Where }),
	nested("filter_criteria", "Raw filter patterns of AWS, instead of on, changed and where.",
		optional("filter", "Up to five patterns, of which one must match.",
			list[string]{of: patternShape{}, max: 5, form: "Start each filter with a dash, such as - pattern: '{...}'."}, func(s *Source) *[]string { return &s.Patterns }),
		optional("kms_key_arn", "The customer key that encrypts the patterns, typed ones too.", kmsKeyARN, func(s *Source) *string { return &s.FilterKMSKeyARN })),
	nested("destination_config", "Where records go that the mapping gives up.",
		nested("on_failure", "One destination for the handler.",
			profiled("type", "A destination that is made for the handler, or none.",
				choice{values: []string{"sqs", "sns", "s3", "none"}}, func(s *Source) *string { return &s.OnFailure.Type }, "sqs", "none"),
			field[Source]{
				key: "destination_arn", doc: "An existing queue, topic or bucket instead.", setDefault: func(*decoder, *Source) {}, schema: destinationARN.schema,
				late: true,
				decode: func(d *decoder, v value, s *Source, _ keySet) {
					s.OnFailure.Type, s.OnFailure.ARN = "arn", destinationARN.decode(d, v)
				},
			},
			optional("kms_key_arn", "The customer key that encrypts the destination.", kmsKeyARN, func(s *Source) *string { return &s.OnFailure.KMSKeyARN }),
			preset("message_retention_seconds", "How long the queue that is made keeps messages.",
				integer{min: 60, max: 1_209_600}, func(s *Source) *int { return &s.OnFailure.MessageRetention }, 1_209_600))),

	refuses[Source]("starting_position_timestamp", refusal{codeNotForDynamoDB, "goes with AT_TIMESTAMP, which Lambda refuses for DynamoDB streams", "Use starting_position TRIM_HORIZON or LATEST."}),
	refuses[Source]("provisioned_poller_config", refusal{codeNotForDynamoDB, "is for Kafka and SQS; a DynamoDB stream is polled by shard", "Use parallelization_factor."}),
	refuses[Source]("scaling_config", refusal{codeNotForDynamoDB, "is for SQS", "A stream's concurrency is its shards times parallelization_factor; reserved_concurrent_executions bounds it."}),
	refuses[Source]("self_managed_event_source", refusal{codeNotForDynamoDB, "is for Kafka", "Remove it."}),
	refuses[Source]("self_managed_kafka_event_source_config", refusal{codeNotForDynamoDB, "is for Kafka", "Remove it."}),
	refuses[Source]("amazon_managed_kafka_event_source_config", refusal{codeNotForDynamoDB, "is for Kafka", "Remove it."}),
	refuses[Source]("document_db_event_source_config", refusal{codeNotForDynamoDB, "is for DocumentDB", "Remove it."}),
	refuses[Source]("source_access_configuration", refusal{codeNotForDynamoDB, "is for Kafka and MQ; a stream is read with the function's role", "Use allow for what the function needs beside it."}),
	refuses[Source]("topics", refusal{codeNotForDynamoDB, "is for Kafka", "Remove it."}),
	refuses[Source]("queues", refusal{codeNotForDynamoDB, "is for MQ", "Remove it."}),
}

var responseTypes = choice{values: []string{"ReportBatchItemFailures"}}

// metricsObject gives whether the mapping counts events.
var metricsObject = object[bool]{
	noun: "metrics_config",
	fields: []field[bool]{
		required("metrics", "The metrics; EventCount is the only one for DynamoDB.",
			isListed{choice{values: []string{"EventCount"}, refused: map[string]refusal{
				"ErrorCount":   {codeNotForDynamoDB, "is for Kafka", "Use EventCount."},
				"KafkaMetrics": {codeNotForDynamoDB, "is for Kafka", "Use EventCount."},
			}}}, func(b *bool) *bool { return b }),
	},
}

// isListed is a list of the choice's only value, and gives whether it is there.
type isListed struct{ of choice }

func (s isListed) decode(d *decoder, v value) bool {
	return len(list[string]{of: s.of, max: 1, form: "Write [" + s.of.values[0] + "]."}.decode(d, v)) > 0
}

func (s isListed) schema() *jsonschema.Schema {
	return list[string]{of: s.of, max: 1}.schema()
}

// list1 is a list of one of the choice's values.
type list1 struct{ of choice }

func (s list1) decode(d *decoder, v value) string {
	got := list[string]{of: s.of, max: 1, form: "Write a list of one, such as [" + s.of.values[0] + "]."}.decode(d, v)
	return *first(&got)
}

func (s list1) schema() *jsonschema.Schema { return list[string]{of: s.of, max: 1}.schema() }

// integerOr is an integer, or one value more.
type integerOr struct {
	integer
	other int
}

func (s integerOr) decode(d *decoder, v value) int {
	if n, ok := v.node.(*ast.IntegerNode); ok && n.Token.Value == strconv.Itoa(s.other) {
		return s.other
	}
	return s.integer.decode(d, v)
}

func (s integerOr) schema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Enum: []any{s.other}}, s.integer.schema()}}
}

type kinds struct{ choice }

func (s kinds) decode(d *decoder, v value) filter.Kind { return filter.Kind(s.choice.decode(d, v)) }

// conditionShape is the text of a condition.
type conditionShape struct{}

var conditionText = text{min: 1, max: 4096}

func (conditionShape) decode(d *decoder, v value) Where {
	c := Where{Text: conditionText.decode(d, v), Pos: v.pos}
	if !d.unwrap(&v) {
		return c
	}
	tk := v.node.GetToken()
	c.Moved = !strings.Contains(tk.Origin, c.Text)
	if tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType {
		c.Pos.Column++
	}
	return c
}

func (conditionShape) schema() *jsonschema.Schema { return conditionText.schema() }

// patternShape is a filter of the provider: a map with a pattern.
type patternShape struct{}

var patternObject = object[string]{
	noun:   "a filter",
	fields: []field[string]{required("pattern", "The pattern, as JSON.", text{min: 1, max: 4096}, func(s *string) *string { return s })},
}

func (patternShape) decode(d *decoder, v value) string {
	pattern := patternObject.decode(d, v)
	if d.broken[v.path] || d.broken[join(v.path, "pattern")] {
		return pattern
	}
	if _, err := filter.ParsePattern(pattern); err != nil {
		d.fail(v, codePattern, "Correct it, or write on, changed or where instead.", "Lambda would refuse the filter: %v", err)
	}
	for _, trap := range filter.Traps(pattern) {
		d.warn(codePatternTrap, v.pos, trap.Detail, "%s", trap.Summary)
	}
	return pattern
}

func (patternShape) schema() *jsonschema.Schema { return patternObject.schema() }

// variableShape is text, or a reference.
type variableShape struct{}

var referenceObject = object[Variable]{
	noun: "a reference",
	fields: []field[Variable]{
		optional("ssm_parameter", "The name of a parameter in Parameter Store.", parameterNames, func(v *Variable) *string { return &v.SSMParameter }),
		optional("secret_arn", "The ARN of a secret in Secrets Manager.", secretARNs, func(v *Variable) *string { return &v.Secret }),
		optional("kms_key_arn", "The customer key that encrypts it.", kmsKeyARN, func(v *Variable) *string { return &v.KMSKeyARN }),
	},
}

func (variableShape) decode(d *decoder, v value) Variable {
	if _, isMap := v.node.(*ast.MappingNode); !isMap {
		return Variable{Value: text{}.decode(d, v)}
	}
	got := referenceObject.decode(d, v)
	if !d.broken[v.path] && (got.SSMParameter == "") == (got.Secret == "") {
		d.fail(v, codeMissingKey, "The function gets its ARN, and its role may read it.", "%s needs one of ssm_parameter and secret_arn", v.what)
	}
	return got
}

func (variableShape) schema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text{}.schema(), referenceObject.schema()}}
}

var (
	subnetIDs  = matching{pattern: regexp.MustCompile(`^subnet-[0-9a-z]+$`), what: "the id of a subnet", form: "Write subnet-ID.", max: 1024}
	groupIDs   = matching{pattern: regexp.MustCompile(`^sg-[0-9a-z]+$`), what: "the id of a security group", form: "Write sg-ID.", max: 1024}
	aliasNames = matching{
		pattern: regexp.MustCompile(`^[a-zA-Z0-9_-]*[a-zA-Z_-][a-zA-Z0-9_-]*$`), what: "letters, digits, '_' and '-', and no number", form: "Choose a name such as live.", max: 128,
	}
	layerARNs = matching{
		pattern: regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[0-9]+$`),
		what:    "the ARN of a layer's version", form: "Write arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION.", max: 140,
	}
	parameterNames = matching{pattern: regexp.MustCompile(`^[a-zA-Z0-9_./-]+$`), what: "the name of a parameter", form: "Write a name such as /shop/key.", max: 1011}
	secretARNs     = matching{
		pattern: regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$`),
		what:    "the ARN of a secret", form: "Write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME.", max: 2048,
	}
	destinationARN = matching{
		pattern: regexp.MustCompile(`^arn:aws[a-z-]*:(sqs|sns|s3):[a-z0-9-]*:[0-9]*:.*[^.]$`),
		what:    "the ARN of a queue, a topic or a bucket", form: "Write arn:aws:sqs:REGION:ACCOUNT:NAME.", max: 350,
	}
)

// tablesOfHandler are several tables of a handler: a list of names, or a map with keys of the mapping for each.
func tablesOfHandler() field[Handler] {
	names := list[string]{of: text{min: 1}, max: 100, form: "Write a list of tables, or a map with one key per table."}
	one := object[Source]{noun: "a mapping", fields: mappingFields}
	return field[Handler]{
		key: "tables", late: true, setDefault: func(*decoder, *Handler) {},
		doc: "Tables of this spec whose streams the handler reads, one function for each: a list, or a map with keys of the mapping that differ from the handler's.",
		decode: func(d *decoder, v value, h *Handler, keys keySet) {
			if keys.has("table") {
				d.broken[v.path] = true
				d.report(codeInvalidValue, v.keyPos, "Keep one of the two.", "a handler has either table or tables")
				return
			}
			common := *first(&h.Sources)
			h.Sources = nil
			if _, isMap := v.node.(*ast.MappingNode); !isMap {
				items, _ := d.items(v, names.form)
				for i, name := range names.decode(d, v) {
					s := common
					s.Table, s.Origin = name, Origin{Path: h.Origin.Path, Pos: items[i].pos, Keys: h.Origin.Keys}
					h.Sources = append(h.Sources, s)
				}
			} else if entries, ok := d.entries(v, names.form); ok {
				for _, e := range entries {
					s := common
					s.Table, s.Origin = e.key, Origin{Path: e.path, Pos: e.keyPos, Keys: map[string]diag.Position{}}
					decodeFields(d, e.value, one.noun, one.fields, &s, keySet{at: s.Origin.Keys})
					h.Sources = append(h.Sources, s)
				}
			}
			if len(h.Sources) == 0 {
				h.Sources = []Source{common}
				d.broken[v.path] = true
			}
		},
		schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{names.schema(), {Type: "object", AdditionalProperties: one.schema()}}}
		},
	}
}

var startingPositions = choice{
	values: []string{"TRIM_HORIZON", "LATEST"},
	refused: map[string]refusal{
		"AT_TIMESTAMP": {codeInvalidValue, "is for Kinesis and Kafka; Lambda refuses it for DynamoDB streams", "Use TRIM_HORIZON or LATEST."},
	},
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

package fileplan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// Policy is an IAM policy document.
type Policy struct {
	// Name is the document's name in terraform.
	Name       string
	Statements []Statement
}

// Statement allows actions on resources; in a trust or resource policy, to services or principals.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type Statement struct {
	SID     string
	Deny    bool
	Actions []string
	// Resources are ARNs: strings, Texts and Expressions. ResourceList is the expression of a list that stands in
	// their place.
	Resources    []any
	ResourceList Expression
	Services     []string
	Principals   []string
	Conditions   []Condition
	// When is the condition under which the statement is there; empty for always.
	When Expression
}

// Condition is one condition of a statement; its values are strings, Texts and Expressions.
type Condition struct {
	Test, Variable string
	Values         []any
}

func conditions(list []spec.Condition) []Condition {
	var out []Condition
	for _, c := range list {
		out = append(out, Condition{c.Test, c.Variable, anys(c.Values)})
	}
	return out
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// Blocks are the document's statements.
func (p Policy) Blocks() []Block {
	var blocks []Block
	for _, s := range p.Statements {
		blocks = append(blocks, s.block())
	}
	return blocks
}

func (s Statement) block() Block {
	b := Block{Name: "statement"}
	if s.When != "" {
		b.ForEach = s.When + " ? [true] : []"
	}
	if s.SID != "" {
		b.Arguments = append(b.Arguments, Argument{"sid", s.SID})
	}
	if s.Deny {
		b.Arguments = append(b.Arguments, Argument{"effect", "Deny"})
	}
	b.Arguments = append(b.Arguments, Argument{"actions", s.Actions})
	switch {
	case s.ResourceList != "":
		b.Arguments = append(b.Arguments, Argument{"resources", s.ResourceList})
	case len(s.Resources) > 0:
		b.Arguments = append(b.Arguments, Argument{"resources", s.Resources})
	}
	b.Blocks = append(principals("Service", s.Services), principals("AWS", s.Principals)...)
	for _, c := range s.Conditions {
		b.Blocks = append(b.Blocks, Block{Name: "condition", Arguments: []Argument{
			{"test", c.Test}, {"variable", c.Variable}, {"values", c.Values},
		}})
	}
	return b
}

func principals(kind string, identifiers []string) []Block {
	if len(identifiers) == 0 {
		return nil
	}
	return []Block{{Name: "principals", Arguments: []Argument{{"type", kind}, {"identifiers", identifiers}}}}
}

// What terraform finds out about where it works.
const (
	partition Expression = "data.aws_partition.current.partition"
	account   Expression = "data.aws_caller_identity.current.account_id"
	region    Expression = "data.aws_region.current.region"
)

// Policies are all documents of the handler.
func (h Handler) Policies() []Policy {
	list := []Policy{h.TrustPolicy(), h.PermissionsPolicy()}
	if h.InVPC() {
		list = append(list, h.VPCPolicy())
	}
	return list
}

// TrustPolicy lets Lambda, and nobody else, take the handler's role.
func (h Handler) TrustPolicy() Policy {
	return Policy{Name: h.Local + "_trust", Statements: []Statement{
		{Actions: []string{"sts:AssumeRole"}, Services: []string{"lambda.amazonaws.com"}},
	}}
}

// PermissionsPolicy is all that the handler's role allows, but for what [Handler.VPCPolicy] does. Nothing in it is
// for the key of a log group or of filter patterns: CloudWatch Logs and Lambda use these keys as themselves, and the
// keys' own policies must let them.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filter-criteria-encryption
func (h Handler) PermissionsPolicy() Policy {
	logGroup := Expression("aws_cloudwatch_log_group." + h.Local + ".arn")
	allowed := make([]Statement, len(h.Allow))
	for i, s := range h.Allow {
		allowed[i] = Statement{SID: s.SID, Actions: s.Actions, Resources: anys(s.Resources), Conditions: conditions(s.Conditions)}
	}
	return Policy{Name: h.Local + "_permissions", Statements: slices.Concat(
		[]Statement{{Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []any{Text{logGroup, ":*"}}}},
		h.tableStatements(),
		h.destinationStatements(),
		h.companionStatements(),
		h.environmentStatements(),
		h.tracingStatements(),
		allowed,
	)}
}

// tableStatements let Lambda read the streams and the handler's own code use tables of the spec. Lambda asks for all
// four actions on streams when it makes an event source mapping. A transaction's actions are those of its parts, and
// checks among them may go with reads or writes. Of an encrypted table DynamoDB decrypts the table's key, for reads
// and writes alike.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func (h Handler) tableStatements() []Statement {
	stream := Statement{Actions: []string{
		"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
	}}
	read := Statement{Actions: []string{
		"dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable",
		"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
	}}
	write := Statement{Actions: []string{
		"dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
		"dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:UpdateItem",
	}}
	for _, m := range h.Mappings() {
		stream.Resources = append(stream.Resources, m.table.Stream())
	}
	for _, name := range h.Reads {
		read.Resources = append(read.Resources, h.tables[name].readable()...)
	}
	for _, name := range h.Writes {
		write.Resources = append(write.Resources, h.tables[name].ARN())
	}
	var keys []any
	for _, name := range h.Uses() {
		keys = append(keys, h.tables[name].key()...)
	}
	statements := slices.DeleteFunc([]Statement{stream, read, write}, func(s Statement) bool { return len(s.Resources) == 0 })
	return append(statements, useKeys(keys, viaService("dynamodb"), "kms:Decrypt")...)
}

// readable are the ARNs of the table and its indexes. Of a table that others own the indexes are not known.
func (t Table) readable() []any {
	list := []any{t.ARN()}
	if t.Existing {
		return append(list, Text{t.ARN(), "/index/*"})
	}
	for _, g := range t.GlobalSecondaryIndexes {
		list = append(list, Text{t.ARN(), "/index/" + g.Name})
	}
	for _, l := range t.LocalSecondaryIndexes {
		list = append(list, Text{t.ARN(), "/index/" + l.Name})
	}
	return list
}

// key is the customer key that the table is encrypted with, if there is one.
func (t Table) key() []any {
	return keyOf(t.arguments, tableKey, t.KMSKeyARN)
}

func keyOf(a arguments, key, arn string) []any {
	if arn == "" && !a.Varies(key) {
		return nil
	}
	return []any{a.Arg(key, arn)}
}

// viaService is the condition that a key is used by a service, for the one that has the permission.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaService(service string) []Condition {
	return []Condition{{"StringEquals", "kms:ViaService", []any{Text{service + ".", region, ".amazonaws.com"}}}}
}

// useKeys allow actions with customer keys. A key that is a variable may be null.
func useKeys(keys []any, via []Condition, actions ...string) []Statement {
	var literals []any
	var variables []string
	for _, k := range distinct(keys) {
		if variable, ok := k.(Expression); ok {
			variables = append(variables, string(variable))
		} else {
			literals = append(literals, k)
		}
	}
	var statements []Statement
	if len(literals) > 0 {
		statements = append(statements, Statement{Actions: actions, Resources: literals, Conditions: via})
	}
	if len(variables) > 0 {
		set := Expression("compact([" + strings.Join(variables, ", ") + "])")
		statements = append(statements, Statement{
			Actions: actions, ResourceList: set, Conditions: via, When: "length(" + set + ") > 0",
		})
	}
	return statements
}

func distinct(list []any) []any {
	var out []any
	for _, v := range list {
		if !slices.ContainsFunc(out, func(o any) bool { return reflect.DeepEqual(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// destinationStatements let the mappings report the records that they give up.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func (h Handler) destinationStatements() []Statement {
	var queues, topics, objects, buckets []any
	keys := map[string][]any{}
	for _, m := range h.Mappings() {
		d, ok := m.destination()
		if !ok {
			continue
		}
		switch d.service {
		case "sqs":
			queues = append(queues, d.arn)
		case "sns":
			topics = append(topics, d.arn)
		case "s3":
			objects, buckets = append(objects, below(d.arn)), append(buckets, d.arn)
		}
		if d.key != "" {
			keys[d.service] = append(keys[d.service], d.key)
		}
	}
	var statements []Statement
	add := func(action string, resources []any) {
		if len(resources) > 0 {
			statements = append(statements, Statement{Actions: []string{action}, Resources: distinct(resources)})
		}
	}
	add("sqs:SendMessage", queues)
	add("sns:Publish", topics)
	add("s3:PutObject", objects)
	add("s3:ListBucket", buckets)
	for _, service := range []string{"sqs", "sns", "s3"} {
		statements = append(statements, useKeys(keys[service], viaService(service), "kms:Decrypt", "kms:GenerateDataKey")...)
	}
	return statements
}

// below is everything in a bucket.
func below(bucket any) any {
	if e, ok := bucket.(Expression); ok {
		return Text{e, "/*"}
	}
	return fmt.Sprint(bucket, "/*")
}

// tracingStatements are there where the function sends traces. X-Ray has no resources to name.
// https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
func (h Handler) tracingStatements() []Statement {
	const mode = "tracing_config.mode"
	if h.TracingMode != "Active" && !h.Varies(mode) {
		return nil
	}
	s := Statement{Actions: []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, Resources: []any{"*"}}
	if h.Varies(mode) {
		s.When = h.Var(mode) + ` == "Active"`
	}
	return []Statement{s}
}

// VPCPolicy lets Lambda make the function's network interfaces, and denies the same to the function's own code. EC2
// knows no resources for what describes. The policy is apart from the other because the function depends on it, and
// must not depend on tables, as [Handler.Function] says.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
func (h Handler) VPCPolicy() Policy {
	describe := []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
	change := []string{
		"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
	}
	function := append(Text{"arn:", partition, ":lambda:", region, ":", account, ":function:"}, parts(h.AWSName())...)
	return Policy{Name: h.Local + "_vpc", Statements: []Statement{
		{Actions: describe, Resources: []any{"*"}},
		{Actions: change, Resources: []any{Text{"arn:", partition, ":ec2:", region, ":", account, ":*/*"}}},
		{
			Deny: true, Actions: slices.Concat(change, describe), Resources: []any{"*"},
			Conditions: []Condition{{"ArnEquals", "lambda:SourceFunctionArn", []any{function}}},
		},
	}}
}

// parts are what a text is made of.
func parts(v any) Text {
	if t, ok := v.(Text); ok {
		return t
	}
	return Text{v}
}

// expressions are what the handler's documents, its function and its destinations refer to.
func (h Handler) expressions() []Expression {
	var found []Expression
	for _, p := range h.Policies() {
		found = append(found, expressionsIn(p.Blocks())...)
	}
	for _, c := range h.Created() {
		found = append(found, expressionsIn(c.Settings())...)
	}
	return append(found, expressionsIn(h.Function())...)
}

// expressionsIn finds the expressions in a value of a view.
func expressionsIn(value any) []Expression {
	if e, ok := value.(Expression); ok {
		if e == "" { // the ForEach of a Block that is there once
			return nil
		}
		return []Expression{e}
	}
	var found []Expression
	switch r := reflect.ValueOf(value); r.Kind() {
	case reflect.Slice:
		for i := range r.Len() {
			found = append(found, expressionsIn(r.Index(i).Interface())...)
		}
	case reflect.Struct: // a Block or an Argument
		for i := range r.NumField() {
			found = append(found, expressionsIn(r.Field(i).Interface())...)
		}
	}
	return found
}

package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

// nameRule is what a name that the user chooses must look like.
type nameRule struct {
	// noun names it in messages, such as "the table name".
	noun string
	// pattern keeps to what regular expressions in Go and in JSON Schema share; chars says it in words. Both are missing where every
	// character but control characters may stand.
	pattern  *regexp.Regexp
	chars    string
	min, max int
	// own is set for rules that are streamgen's and not AWS's.
	own bool
	// path is set for names that become folders and files.
	path bool
	// fold is set where names that differ in case alone collide; foldReason says why.
	fold       bool
	foldReason string
	// refused tells names that are taken; nil for none.
	refused func(name string) (refusal, bool)
}

var (
	tableNames = nameRule{
		noun: "the table name", pattern: regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`), chars: "letters, digits, '_', '-' and '.'", min: 3, max: 255,
		path: true, fold: true, foldReason: "their files collide where file names ignore case.", refused: reservedFolder,
	}
	handlerNames = nameRule{
		noun: "the handler name", pattern: regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`), chars: "letters, digits, '_' and '-', a letter first",
		min: 1, max: 64, path: true, fold: true, foldReason: "their files collide where file names ignore case.", refused: reservedFolder,
	}
	indexNames = nameRule{
		noun: "the index name", pattern: tableNames.pattern, chars: tableNames.chars, min: 3, max: 255,
	}
	projectNames = nameRule{
		noun: "the project name", pattern: regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`),
		chars: "letters, digits, '_', '-' and '.', a letter or digit first", min: 1, max: 64, own: true, path: true,
	}
	// DynamoDB allows longer names for attributes that are no keys; one limit for all lets any attribute become a key.
	attributeNames = nameRule{noun: "the attribute name", min: 1, max: 255, own: true}
	variableNames  = nameRule{
		noun: "the variable name", pattern: regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`), chars: "letters, digits and '_', a letter first",
		min: 2, refused: reservedVariable,
	}
	// IAM, whose roles carry the tags too, compares tag keys without regard to case.
	tagKeys = nameRule{
		noun: "the tag key", pattern: tagPattern, chars: tagChars, min: 1, max: 128,
		fold: true, foldReason: "IAM ignores the case of tag keys.", refused: reservedTag,
	}
)

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

const tagChars = "letters, digits, spaces and _ . : / = + - @"

// check reports the first thing that is wrong with a name.
func (r nameRule) check(d *decoder, name string, at diag.Position) bool {
	n := utf8.RuneCountInString(name)
	report := func(c code, detail, format string, args ...any) bool {
		d.report(c, at, detail, "%s %s %s", r.noun, quote(name), fmt.Sprintf(format, args...))
		return false
	}
	switch {
	case name == "":
		d.report(codeNameLength, at, "Give it a name.", "%s is empty", r.noun)
		return false
	case interpolates(name):
		return report(codeInterpolation, "Names are taken literally, so write the name itself"+r.allowed()+".",
			"holds an HCL interpolation, which is not evaluated")
	case r.path && (strings.ContainsAny(name, `/\`) || strings.Contains(name, "..")):
		return report(codePathInName, "Names become parts of file names: use"+strings.TrimPrefix(r.allowed(), ":")+", without '..'.",
			"holds a path")
	case strings.ContainsFunc(name, unseen):
		return report(codeControlCharacter, "Remove it.", "holds a control character")
	}
	if r.refused != nil {
		if refusal, ok := r.refused(name); ok {
			return report(refusal.code, refusal.detail, "%s", refusal.reason)
		}
	}
	switch {
	case r.max > 0 && n > r.max:
		return report(codeNameLength, "Shorten it.", "has %s, more than the %d that %s allows", count(n, "character", "characters"), r.max, r.owner())
	case n < r.min:
		return report(codeNameLength, "Lengthen it.", "has %s, fewer than the %d that %s asks for", count(n, "character", "characters"), r.min, r.owner())
	case r.pattern != nil && !r.pattern.MatchString(name):
		return report(codeNameCharacter, "Use"+strings.TrimPrefix(r.allowed(), ":")+".", "has characters that %s does not allow", r.owner())
	}
	return true
}

func (r nameRule) owner() string {
	if r.own {
		return "streamgen"
	}
	return "AWS"
}

func (r nameRule) allowed() string {
	if r.chars == "" {
		return ""
	}
	return ": " + r.chars
}

func (r nameRule) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", MinLength: bound(r.min), MaxLength: bound(r.max)}
	if r.pattern != nil {
		s.Pattern = r.pattern.String()
	}
	return s
}

// decode makes a rule a shape, for names that are values.
func (r nameRule) decode(d *decoder, v value) string {
	name, ok := d.scalar(v)
	if ok && !r.check(d, name, v.pos) {
		d.broken[v.path] = true
	}
	return name
}

func interpolates(s string) bool { return strings.Contains(s, "${") || strings.Contains(s, "%{") }

// reservedFolder refuses names of folders that the go command skips or guards, and of Windows devices.
func reservedFolder(name string) (refusal, bool) {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if slices.Contains([]string{"internal", "vendor", "testdata"}, name) {
		return refusal{codeReservedName, "is a folder name that Go treats specially", "Choose another name."}, true
	}
	if windowsDevice.MatchString(stem) {
		return refusal{codeReservedName, "is the name of a Windows device and cannot be a file there", "Choose another name."}, true
	}
	return refusal{}, false
}

var windowsDevice = regexp.MustCompile(`^(con|prn|aux|nul|(com|lpt)[0-9])$`)

// tableVariable is how the variables begin that hold the names of a function's tables in AWS.
const tableVariable = "TABLE_"

// ParkingVariable and IdempotencyVariable are the environment variables that hold the names in AWS of a function's parking queue and of
// its table of records that are done.
const (
	ParkingVariable     = "PARKING_QUEUE"
	IdempotencyVariable = "IDEMPOTENCY_TABLE"
)

// ParkingSuffix and IdempotencySuffix follow the function's name in the names of these two, and FailuresSuffix in that of the queue, topic
// or bucket that gen makes for the records that its mappings give up.
const (
	ParkingSuffix     = "-parked"
	IdempotencySuffix = "-idempotency"
	FailuresSuffix    = "-failures"
)

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func reservedVariable(name string) (refusal, bool) {
	reserved := []string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_MAX_CONCURRENCY",
		"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}
	switch {
	case strings.HasPrefix(name, tableVariable) || name == ParkingVariable || name == IdempotencyVariable:
		return refusal{codeReservedVariable, "is one of those in which streamgen gives the function the names of its tables and its queue", "Choose another name."}, true
	case !slices.Contains(reserved, name):
		return refusal{}, false
	}
	return refusal{codeReservedVariable, "is one that Lambda sets itself and does not let a function set", "Choose another name."}, true
}

func reservedTag(key string) (refusal, bool) {
	switch {
	case awsPrefix(key):
		return refusal{codeReservedTag, "begins with aws:, which AWS keeps for itself", "Choose another key."}, true
	case strings.EqualFold(key, "Project"):
		return refusal{codeReservedTag, "is set by streamgen to the name of the project", "Remove it, or choose another key."}, true
	}
	return refusal{}, false
}

func awsPrefix(s string) bool { return len(s) >= 4 && strings.EqualFold(s[:4], "aws:") }

// tagValue is the value of a tag.
type tagValue struct{}

func (tagValue) decode(d *decoder, v value) string {
	got := text{max: 256}.decode(d, v)
	switch {
	case d.broken[v.path]:
	case awsPrefix(got):
		d.fail(v, codeReservedTag, "Choose another value.", "the tag value %s begins with aws:, which AWS keeps for itself", quote(got))
	case !tagPattern.MatchString(got):
		detail := "Use " + tagChars + "."
		if interpolates(got) {
			detail += " An HCL interpolation is not evaluated."
		}
		d.fail(v, codeTagCharacter, detail, "the tag value %s has characters that AWS does not allow", quote(got))
	}
	return got
}

func (tagValue) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: tagPattern.String(), MaxLength: bound(256)}
}

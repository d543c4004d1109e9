package differential

import (
	"regexp"
	"strings"
)

// knownDifference is one from dynalite 4.0.0 that is explained in docs/differences.md under its name.
type knownDifference struct {
	name string
	fits func(r request, ours, theirs answer) bool
}

// says gives a test of both answers' text by expressions.
func says(ours, theirs string) func(request, answer, answer) bool {
	own, other := regexp.MustCompile(ours), regexp.MustCompile(theirs)
	return func(_ request, a, b answer) bool { return own.MatchString(a.String()) && other.MatchString(b.String()) }
}

const (
	conditionFailed = "^400 ConditionalCheckFailedException"
	done            = "^200 "
	anything        = ""
)

var known = []knownDifference{
	{"syntax error", says("Syntax error; token", "Syntax error; Expected|Syntax error; token")},
	{"type set", says(", typeSet: ALLOWED_FOR_(ADD|DELETE)_OPERAND", "operand type: [A-Z_]+$")},
	{"function in update", says("The function is not allowed in an update expression", "Invalid function name")},
	{"lists in batches", says("'requestItems' failed to satisfy constraint: Map value", "'requestItems' failed to satisfy constraint: Map value")},
	{"empty table name", func(r request, _, theirs answer) bool {
		return r.body["TableName"] == "" && strings.Contains(theirs.text, "Value '' at 'tableName'")
	}},
	{"capacity of an empty page", func(r request, ours, theirs answer) bool {
		return r.body["ReturnConsumedCapacity"] != nil && strings.Contains(theirs.text, `"CapacityUnits":0`) && strings.Contains(ours.text, `"ScannedCount":0`)
	}},
	{"capacity of index writes", func(r request, ours, theirs answer) bool {
		return r.body["ReturnConsumedCapacity"] != nil && strings.Contains(ours.text, `SecondaryIndexes`) && !strings.Contains(r.operation, "Query") && !strings.Contains(r.operation, "Scan")
	}},
	{"keys have no parts", says("Key attributes must be scalars", anything)},
	{"operand types of BETWEEN", says("operator or function: BETWEEN, operand type", anything)},
	{"comparison with nothing", func(r request, ours, theirs answer) bool {
		return comparesPaths(r) && (says(conditionFailed+"|"+done, conditionFailed+"|"+done)(r, ours, theirs))
	}},
	{"legacy values are checked", says("ComparisonOperator [A-Z_]+ is not valid|ConditionalOperator (cannot|can only)|must be of same type|Value (or|cannot|must)", anything)},
	{"legacy actions", says("attributeUpdates.*Member must satisfy enum value set", anything)},
	{"NOT_CONTAINS of nothing", func(r request, ours, theirs answer) bool { return strings.Contains(text(r.body), `"NOT_CONTAINS"`) }},
	{"nothing updated", says("^200  {", `^200  .*"Attributes":{}`)},
	{"select and projection", says("Cannot specify the (AttributesToGet|ProjectionExpression) when choosing|Must specify the AttributesToGet or ProjectionExpression|ALL_PROJECTED_ATTRIBUTES can be used only", anything)},
	{"what an index holds", says("does not project", done)},
	{"consistent scans of global indexes", says("Consistent reads are not supported on global secondary indexes", anything)},
	{"segments", says("TotalSegments parameter is required|'totalSegments'|'segment'", anything)},
}

// comparesPaths reports whether a request compares parts of an item with each other, of which some may not be there.
func comparesPaths(r request) bool {
	for _, name := range []string{"ConditionExpression", "FilterExpression"} {
		if src, is := r.body[name].(string); is && pathsCompared.MatchString(src) {
			return true
		}
	}
	return false
}

var pathsCompared = regexp.MustCompile(`(^|[ (])[#a-z][^ ]* (=|<>|<|<=|>|>=|IN|BETWEEN) .*[#a-z]|size\(`)

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
	{"syntax error", says(anything, "Syntax error; Expected|Syntax error; token")},
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
		return r.body["ReturnConsumedCapacity"] != nil && r.operation != "Query" && r.operation != "Scan" && strings.Contains(ours.text, "CapacityUnits") && strings.Contains(theirs.text, "CapacityUnits")
	}},
	{"empty enumeration", func(r request, _, theirs answer) bool {
		return r.body["ReturnConsumedCapacity"] == "" && strings.Contains(theirs.text, "'returnConsumedCapacity'")
	}},
	{"capacity of consistent scans", func(r request, ours, _ answer) bool {
		return r.operation == "Scan" && r.body["ConsistentRead"] == true && strings.Contains(ours.text, "CapacityUnits")
	}},
	{"mixed parameters", says("Non-expression parameters: {[^}]*ConditionalOperator}", "Non-expression parameters")},
	{"nothing taken away", func(r request, ours, theirs answer) bool {
		return r.operation == "UpdateItem" && ours.text == "{}" && strings.Contains(theirs.text, `"Attributes"`)
	}},
	{"return values", says("Return values set to invalid value", anything)},
	{"empty keys", says("are not valid. The AttributeValue for a key attribute cannot contain an empty", "cannot contain an empty")},
	{"order of indexes", says("Type mismatch for Index Key|Type mismatch for attribute to update", "Type mismatch for Index Key|Type mismatch for attribute to update|secondary index key")},
	{"keys have no parts", says("Key attributes must be scalars", anything)},
	{"operand types", says("operator or function: (BETWEEN|<|<=|>|>=), operand type", anything)},
	{"operand types", says("The BETWEEN operator requires same data type", "The BETWEEN operator requires same data type")},
	{"comparison with nothing", func(r request, ours, theirs answer) bool {
		return comparesPaths(r) && (says(conditionFailed+"|"+done, conditionFailed+"|"+done)(r, ours, theirs))
	}},
	{"fallback that is missing", func(r request, ours, _ answer) bool {
		return strings.Contains(text(r.body), "if_not_exists(") && strings.Contains(ours.text, "refers to an attribute that does not exist")
	}},
	{"same operands", says("The first operand must be distinct", anything)},
	{"legacy values are checked", says("ComparisonOperator [A-Z_]+ is not valid|ConditionalOperator (cannot|can only)|must be of same type|Value (or|cannot|must)", anything)},
	{"legacy values are checked", says(done, "ComparisonOperator (EQ|NE) is not valid for")},
	{"type of a key condition", says("Requested resource not found", "ComparisonOperator EQ is not valid for")},
	{"digits of sums", says("more than 38 significant digits", done)},
	{"what a local index fetches", func(r request, ours, theirs answer) bool {
		name, _ := r.body["IndexName"].(string)
		return strings.HasPrefix(name, "local-") && ours.status == 200 && theirs.status == 200
	}},
	{"legacy actions", says("attributeUpdates.*Member must satisfy enum value set", anything)},
	{"NOT_CONTAINS of nothing", func(r request, _, _ answer) bool { return strings.Contains(text(r.body), `"NOT_CONTAINS"`) }},
	{"nothing updated", says("^200  {", `^200  .*"Attributes":{}`)},
	{"select and projection", says("Cannot specify the (AttributesToGet|ProjectionExpression) when choosing|Must specify the AttributesToGet or ProjectionExpression|ALL_PROJECTED_ATTRIBUTES can be used only", anything)},
	{"what an index holds", says("does not project", done)},
	{"consistent scans of global indexes", says("Consistent reads are not supported on global secondary indexes", anything)},
	{"legacy values are checked", func(r request, _, _ answer) bool {
		return r.body["ConditionalOperator"] == "OR" || strings.Contains(text(r.body["Expected"]), `"Exists":true`)
	}},
	{"order of checks", says("update expression is invalid|refers to an attribute|incorrect data type|"+conditionFailed, "update expression is invalid|refers to an attribute|incorrect data type|"+conditionFailed)},
	{"order of checks", func(_ request, ours, theirs answer) bool {
		return ours.status == 400 && theirs.status == 400 && ours.code == theirs.code && ours.code == "ValidationException"
	}},
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

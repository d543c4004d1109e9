package local

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
)

// dynamodbRows are what the operations of DynamoDB need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
var dynamodbRows = map[string]row{
	"GetItem":    withKeys(onItems("GetItem"), tableKeys),
	"PutItem":    withKeys(onItems("PutItem"), tableKeys),
	"UpdateItem": withKeys(onItems("UpdateItem"), tableKeys),
	"DeleteItem": withKeys(onItems("DeleteItem"), tableKeys),
	"Query":      withKeys(onItems("Query"), tableKeys),
	"Scan":       withKeys(onItems("Scan"), tableKeys),

	"BatchGetItem":       withKeys(batchGetNeeds, tableKeys),
	"BatchWriteItem":     withKeys(batchWriteNeeds, tableKeys),
	"TransactGetItems":   withKeys(transactNeeds, tableKeys),
	"TransactWriteItems": withKeys(transactNeeds, tableKeys),

	"CreateTable":        createTableNeeds,
	"DescribeTable":      onTable("DescribeTable"),
	"UpdateTable":        onTable("UpdateTable"),
	"DeleteTable":        onTable("DeleteTable"),
	"ListTables":         onEvery("ListTables", "table/*"),
	"DescribeLimits":     onEvery("DescribeLimits", ""),
	"DescribeEndpoints":  onEvery("DescribeEndpoints", ""),
	"DescribeTimeToLive": onTable("DescribeTimeToLive"),
	"UpdateTimeToLive":   onTable("UpdateTimeToLive"),

	"DescribeContinuousBackups":           onTable("DescribeContinuousBackups"),
	"UpdateContinuousBackups":             onTable("UpdateContinuousBackups"),
	"DescribeContributorInsights":         onTable("DescribeContributorInsights"),
	"UpdateContributorInsights":           onTable("UpdateContributorInsights"),
	"ListContributorInsights":             onEvery("ListContributorInsights", ""),
	"DescribeKinesisStreamingDestination": onTable("DescribeKinesisStreamingDestination"),

	"CreateBackup":           onTable("CreateBackup"),
	"DescribeBackup":         onBackup("DescribeBackup"),
	"DeleteBackup":           onBackup("DeleteBackup"),
	"ListBackups":            onEvery("ListBackups", ""),
	"RestoreTableFromBackup": restoreNeeds,

	"GetResourcePolicy":    onTable("GetResourcePolicy"),
	"PutResourcePolicy":    onTable("PutResourcePolicy"),
	"DeleteResourcePolicy": onTable("DeleteResourcePolicy"),
	"TagResource":          onTable("TagResource"),
	"UntagResource":        onTable("UntagResource"),
	"ListTagsOfResource":   onTable("ListTagsOfResource"),
}

// streamsRows are what the operations of DynamoDB Streams need.
var streamsRows = map[string]row{
	"ListStreams":      listStreamsNeeds,
	"DescribeStream":   onStream("DescribeStream"),
	"GetShardIterator": onStream("GetShardIterator"),
	"GetRecords":       onStream("GetRecords"),
}

// tableARN gives the ARN that a name, or an ARN, of a table means.
func (c *roleCall) tableARN(table string) string {
	if strings.HasPrefix(table, "arn:") {
		return table
	}
	return c.arn("dynamodb", "table/"+table)
}

func onTable(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct{ TableName, ResourceArn string }
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		return []need{{action: "dynamodb:" + action, resource: c.tableARN(in.TableName + in.ResourceArn)}}, nil
	}
}

// onEvery is for operations that are about no table. kind is what AWS's message shows of the ARN, "" for "*" alone.
func onEvery(action, kind string) row {
	return func(c *roleCall) ([]need, error) {
		n := need{action: "dynamodb:" + action, resource: "*"}
		if kind != "" {
			n.shown = c.arn("dynamodb", kind)
		}
		return []need{n}, nil
	}
}

func onBackup(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct{ BackupArn string }
		err := c.decode(&in)
		return []need{{action: "dynamodb:" + action, resource: in.BackupArn}}, err
	}
}

func onStream(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct{ StreamArn, ShardIterator string }
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		arn := in.StreamArn
		if in.ShardIterator != "" {
			arn, _, _ = strings.Cut(in.ShardIterator, "|") // an iterator begins with its stream
		}
		return []need{{action: "dynamodb:" + action, resource: arn}}, nil
	}
}

// listStreamsNeeds: the streams of a table, or all.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/api-permissions-reference.html
func listStreamsNeeds(c *roleCall) ([]need, error) {
	var in struct{ TableName string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.TableName == "" {
		return []need{{action: "dynamodb:ListStreams", resource: "*"}}, nil
	}
	return []need{{action: "dynamodb:ListStreams", resource: c.tableARN(in.TableName) + "/stream/*"}}, nil
}

func createTableNeeds(c *roleCall) ([]need, error) {
	var in struct {
		TableName      string
		Tags           []json.RawMessage
		ResourcePolicy string
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	arn := c.tableARN(in.TableName)
	needs := []need{{action: "dynamodb:CreateTable", resource: arn}}
	if len(in.Tags) > 0 {
		needs = append(needs, need{action: "dynamodb:TagResource", resource: arn})
	}
	if in.ResourcePolicy != "" {
		needs = append(needs, need{action: "dynamodb:PutResourcePolicy", resource: arn})
	}
	return needs, nil
}

// restoreNeeds: the backup, and the table that is made and filled.
func restoreNeeds(c *roleCall) ([]need, error) {
	var in struct{ BackupArn, TargetTableName string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	table := c.tableARN(in.TargetTableName)
	needs := []need{{action: "dynamodb:RestoreTableFromBackup", resource: in.BackupArn}}
	for _, action := range []string{"RestoreTableFromBackup", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"} {
		needs = append(needs, need{action: "dynamodb:" + action, resource: table})
	}
	return needs, nil
}

// itemRequest is what requests on items say that conditions may be about.
type itemRequest struct {
	TableName, IndexName                                                                                  string
	Key, Item                                                                                             attr.Item
	Select, ReturnValues, ReturnConsumedCapacity                                                          string
	ConditionExpression, FilterExpression, KeyConditionExpression, ProjectionExpression, UpdateExpression *string
	ExpressionAttributeNames                                                                              map[string]string
	ExpressionAttributeValues                                                                             attr.Item

	AttributesToGet                        []string
	KeyConditions, QueryFilter, ScanFilter map[string]legacyCondition
	Expected, AttributeUpdates             map[string]json.RawMessage
}

type legacyCondition struct{ AttributeValueList []attr.Value }

func onItems(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in itemRequest
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		return []need{in.need(c, action)}, nil
	}
}

// need is what one request, or one part of one, needs.
func (in *itemRequest) need(c *roleCall, action string) need {
	arn := c.tableARN(in.TableName)
	if in.IndexName != "" {
		arn += "/index/" + in.IndexName
	}
	keys := map[string][]string{}
	for key, value := range map[string]string{"dynamodb:select": in.Select, "dynamodb:returnvalues": in.ReturnValues,
		"dynamodb:returnconsumedcapacity": in.ReturnConsumedCapacity} {
		if value != "" {
			keys[key] = []string{value}
		}
	}
	tests, names := in.expressions()
	if len(names) > 0 {
		keys["dynamodb:attributes"] = names
	}
	if leading := in.leading(hashKeys(c.in.engine, in.TableName, in.IndexName), tests); len(leading) > 0 {
		keys["dynamodb:leadingkeys"] = leading
	}
	return need{action: "dynamodb:" + action, resource: arn, keys: keys}
}

// expressions gives the tests of a query's key and the attributes that the request names, sorted. An expression that is none names
// nothing: its front end refuses it.
func (in *itemRequest) expressions() (tests []expr.KeyTest, names []string) {
	all := map[string]bool{}
	add := func(names ...string) {
		for _, name := range names {
			all[name] = true
		}
	}
	add(slices.Collect(maps.Keys(in.Key))...)
	add(slices.Collect(maps.Keys(in.Item))...)
	add(slices.Collect(maps.Keys(in.KeyConditions))...)
	add(slices.Collect(maps.Keys(in.QueryFilter))...)
	add(slices.Collect(maps.Keys(in.ScanFilter))...)
	add(slices.Collect(maps.Keys(in.Expected))...)
	add(slices.Collect(maps.Keys(in.AttributeUpdates))...)
	add(in.AttributesToGet...)
	substitutions, err := expr.NewSubstitutions(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, slices.Sorted(maps.Keys(all))
	}
	for _, text := range []*string{in.ConditionExpression, in.FilterExpression} {
		if text != nil {
			if condition, err := expr.ParseCondition(*text, substitutions); err == nil {
				add(condition.Attributes()...)
			}
		}
	}
	if in.KeyConditionExpression != nil {
		tests, _ = expr.ParseKeyCondition(*in.KeyConditionExpression, substitutions)
		for _, test := range tests {
			add(test.Name)
		}
	}
	if in.ProjectionExpression != nil {
		if projection, err := expr.ParseProjection(*in.ProjectionExpression, substitutions); err == nil {
			add(projection.Attributes()...)
		}
	}
	if in.UpdateExpression != nil {
		if update, err := expr.ParseUpdate(*in.UpdateExpression, substitutions); err == nil {
			add(update.Attributes()...)
		}
	}
	return tests, slices.Sorted(maps.Keys(all))
}

// leading gives the values of the hash key that the request is about.
func (in *itemRequest) leading(hash []string, tests []expr.KeyTest) []string {
	var values []string
	for _, name := range hash {
		for _, item := range []attr.Item{in.Key, in.Item} {
			if v, there := item[name]; there {
				values = append(values, keyText(v))
			}
		}
		for _, test := range tests {
			if test.Name == name && test.Operator == "=" {
				values = append(values, keyText(test.Values[0]))
			}
		}
		for _, v := range in.KeyConditions[name].AttributeValueList {
			values = append(values, keyText(v))
		}
	}
	return values
}

func keyText(v attr.Value) string {
	if v.Type() == attr.B {
		return base64.StdEncoding.EncodeToString([]byte(v.Text()))
	}
	return v.Text()
}

// hashKeys are the attributes of the hash key of a table or index; none when there is no such table.
func hashKeys(tables *engine.Engine, table, index string) []string {
	d, err := tables.DescribeTable(table)
	if err != nil {
		return nil
	}
	keys := d.Keys
	for _, i := range d.Indexes {
		if i.Name == index {
			keys = i.Keys
		}
	}
	var names []string
	for _, k := range keys {
		if k.Role == engine.Hash {
			names = append(names, k.Name)
		}
	}
	return names
}

// joined gives one need for each table of a batch: its keys are those of all its items.
func joined(parts []need) []need {
	var all []need
	for _, n := range parts {
		i := slices.IndexFunc(all, func(o need) bool { return o.resource == n.resource && o.action == n.action })
		if i < 0 {
			all = append(all, n)
			continue
		}
		for key, values := range n.keys {
			all[i].keys[key] = append(all[i].keys[key], values...)
		}
	}
	return all
}

func batchGetNeeds(c *roleCall) ([]need, error) {
	var in struct {
		ReturnConsumedCapacity string
		RequestItems           map[string]struct {
			itemRequest
			Keys []attr.Item
		}
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var parts []need
	for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
		for _, key := range in.RequestItems[table].Keys {
			part := in.RequestItems[table].itemRequest
			part.TableName, part.Key, part.ReturnConsumedCapacity = table, key, in.ReturnConsumedCapacity
			parts = append(parts, part.need(c, "BatchGetItem"))
		}
	}
	return joined(parts), nil
}

func batchWriteNeeds(c *roleCall) ([]need, error) {
	var in struct {
		ReturnConsumedCapacity string
		RequestItems           map[string][]map[string]itemRequest
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var parts []need
	for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
		for _, request := range in.RequestItems[table] {
			for _, part := range request { // PutRequest or DeleteRequest
				part.TableName, part.ReturnConsumedCapacity = table, in.ReturnConsumedCapacity
				parts = append(parts, part.need(c, "BatchWriteItem"))
			}
		}
	}
	return joined(parts), nil
}

// transactNeeds: each action of a transaction needs what it would need alone.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func transactNeeds(c *roleCall) ([]need, error) {
	var in struct {
		ReturnConsumedCapacity string
		TransactItems          []map[string]itemRequest
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	actions := map[string]string{"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
	var needs []need
	for _, item := range in.TransactItems {
		for _, kind := range slices.Sorted(maps.Keys(item)) {
			action, known := actions[kind]
			if !known { // which the front end refuses
				continue
			}
			part := item[kind]
			part.ReturnConsumedCapacity = in.ReturnConsumedCapacity
			n := part.need(c, action)
			n.keys["dynamodb:enclosingoperation"] = []string{c.operation}
			needs = append(needs, n)
		}
	}
	return needs, nil
}

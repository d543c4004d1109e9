package judge

import "slices"

// rule judges the resources of some types, or all where none is listed.
type rule struct {
	types []string
	judge func(*change) []Finding
}

const (
	tableType    = "aws_dynamodb_table"
	mappingType  = "aws_lambda_event_source_mapping"
	functionType = "aws_lambda_function"
)

// rules by class. A new one is a function in the class's file, with a comment that says why, and a line here.
var rules = []rule{
	// data.go
	{nil, destroyed},
	{[]string{tableType}, indexesRemoved},
	{[]string{tableType}, replicasRemoved},
	{[]string{tableType}, replicasChanged},
	{[]string{tableType}, backupsEnd},
	{[]string{tableType}, itemsExpire},
	{[]string{"aws_s3_bucket_lifecycle_configuration"}, objectsExpire},
	{[]string{"aws_s3_bucket_versioning"}, versionsEnd},
	{[]string{"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"}, keyDisabled},
	{nil, keptShorter},
	{nil, protectionOff},

	// records.go
	{[]string{tableType}, streamChanged},
	{[]string{mappingType}, mappingReplaced},
	{[]string{mappingType}, mappingDeleted},
	{[]string{mappingType}, mappingDisabled},
	{[]string{mappingType}, filterChanged},
	{[]string{mappingType}, destinationRemoved},
	{[]string{mappingType}, failuresUnreported},
	{[]string{mappingType}, givesUpSooner},
	{[]string{mappingType}, batchRaised},
	{[]string{mappingType}, slower},
	{[]string{functionType}, timeoutLowered},
	{[]string{functionType}, functionStopped},
	{[]string{functionType}, functionDeleted},

	// access.go
	{nil, policyChanged},
	{nil, attachmentChanged},
	{[]string{"aws_iam_role", "aws_iam_user"}, boundaryChanged},
	{[]string{"aws_lambda_permission"}, permissionChanged},
	{[]string{functionType}, roleChanged},
	{[]string{"aws_lambda_function_url"}, urlOpened},
	{[]string{"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"}, publicAccess},

	// cost.go
	{[]string{tableType}, billingChanged},
	{[]string{tableType}, replicasAdded},
	{[]string{tableType}, indexesAdded},
	{[]string{tableType}, indexesChanged},
	{[]string{tableType}, backupsBegin},
	{nil, capacityChanged},
	{nil, capacityResource},
	{nil, keptLonger},

	// rest.go
	{[]string{functionType}, codeChanged},
}

// judged gives the findings of all rules about a change, and one about what no rule claimed.
func judged(c *change) []Finding {
	var out []Finding
	if c.action != noOp {
		for _, r := range rules {
			if r.types == nil || slices.Contains(r.types, c.kind()) {
				out = append(out, r.judge(c)...)
			}
		}
	}
	return append(out, unclaimed(c, out)...)
}

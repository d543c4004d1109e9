package spec

const (
	codeUnknownAttribute code = "unknown-attribute"
	codeKeyType          code = "key-type"
	codeSameKeys         code = "same-keys"
	codeProjection       code = "projection"
	codeLocalIndex       code = "local-index-without-range-key"
	codeCapacity         code = "capacity"
	codeTTLType          code = "ttl-type"
	codeReplica          code = "replica"
	codeExisting         code = "existing-table"
	codeScaledIndex      code = "autoscaled-index"
	codeRenamed          code = "renamed-table"
)

const (
	pageLocalIndex = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html"
	pageTTL        = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-how-to.html"
	pageReplica    = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables_reqs_bestpractices.html"
	pageProjection = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html"
)

// tableRules lists the rules of tables.
func tableRules() []Rule {
	return []Rule{
		rule(codeUnknownAttribute, "Key attributes are among the table's attributes", pageTable),
		rule(codeKeyType, "Key attributes have the type S, N or B", pageTable),
		rule(codeSameKeys, "The range key is another attribute than the hash key", pageTable),
		rule(codeProjection, "non_key_attributes stands with projection_type INCLUDE, and only there", pageProjection),
		rule(codeLocalIndex, "A table with local secondary indexes has a range key", pageLocalIndex),
		rule(codeCapacity, "Capacity and autoscaling are set for PROVISIONED tables and their indexes, on_demand_throughput for the others", pageTable),
		rule(codeTTLType, "The attribute by which items expire has the type N", pageTTL),
		rule(codeReplica, "A table with replicas has a stream with both images, is in each region once, and in one Region set where its consistency is strong", pageReplica),
		rule(codeExisting, "Of a table that others own only what describes it is set", ours),
		rule(codeScaledIndex, "The capacity of an index is not scaled by what an apply sets back; a warning", ours),
		rule(codeRenamed, "A renamed table keeps its name in AWS, which cannot rename one", pageTable),
	}
}

package spec

const (
	codeReservedVariable   code = "reserved-variable"
	codeSecretVariable     code = "secret-in-variable"
	codeEnvironmentSize    code = "environment-too-large"
	codeUnknownTable       code = "unknown-table"
	codeTableWithoutStream code = "table-without-stream"
	codeStreamReaders      code = "too-many-readers"
	codeNotForDynamoDB     code = "not-for-dynamodb"
	codeAlias              code = "alias"
	codeConcurrency        code = "concurrency"
	codeLogLevel           code = "log-level"
	codeRecordAge          code = "record-age"
	codeDropped            code = "records-dropped"
	codeDestination        code = "destination"
	codeFilter             code = "filter"
	codeCondition          code = "condition"
	codePattern            code = "filter-pattern"
	codePatternTrap        code = "filter-never-matches"
	codeImages             code = "image-not-in-stream"
	codeInFunction         code = "filtered-in-function"
)

const (
	pageEnvironment = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
	pageSecrets     = "https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html"
	pageMapping     = "https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"
	pageProvisioned = "https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"
	pageLogging     = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html"
	pageStreams     = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"
	pageErrors      = "https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html"
	pageFilters     = "https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html"
	pageSyntax      = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html"
	pageReaders     = "https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html"
)

// handlerRules lists the rules of handlers.
func handlerRules() []Rule {
	return []Rule{
		rule(codeReservedVariable, "Environment variables that Lambda sets are not set", pageEnvironment),
		rule(codeSecretVariable, "A variable that looks like a secret is a reference to one; a warning", pageSecrets),
		rule(codeEnvironmentSize, "A function's environment has at most 4 KB", pageEnvironment),
		rule(codeUnknownTable, "A handler reads a table of this spec", ours),
		rule(codeTableWithoutStream, "A table that a handler reads has a stream", ours),
		rule(codeNotForDynamoDB, "Keys of other event sources are not set", pageMapping),
		rule(codeAlias, "Provisioned concurrency has an alias", pageProvisioned),
		rule(codeConcurrency, "Provisioned concurrency is within what is reserved", pageProvisioned),
		rule(codeLogLevel, "Log levels stand with log_format JSON", pageLogging),
		rule(codeRecordAge, "A record's age is bounded by less than the 24 hours that the stream keeps it", pageStreams),
		rule(codeDropped, "A mapping that gives up records reports them somewhere", pageErrors),
		rule(codeDestination, "A destination is in the function's region and is not FIFO", pageErrors),
		rule(codeFilter, "Raw filter patterns stand alone", ours),
		rule(codeCondition, "A condition is of the grammar, compares attributes of the table by their types, and can hold", ours),
		rule(codePattern, "A raw filter pattern is one that Lambda takes", pageSyntax),
		rule(codePatternTrap, "A raw filter pattern looks at values as a stream record has them; a warning", pageFilters),
		rule(codeImages, "What a filter compares, and a handler uses, is in the stream's images", pageStreams),
		rule(codeInFunction, "What AWS's filters cannot say is checked in the function; a warning", pageFilters),
		rule(codeStreamReaders, "At most two handlers read a table's stream", pageReaders),
	}
}

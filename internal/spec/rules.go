package spec

import "slices"

// code names a rule. Codes are stable across releases: scripts match on them.
type code string

const (
	codeFileTooLarge      code = "file-too-large"
	codeNotUTF8           code = "not-utf-8"
	codeByteOrderMark     code = "byte-order-mark"
	codeControlCharacter  code = "control-character"
	codeTabIndentation    code = "tab-indentation"
	codeTabCharacter      code = "tab-character"
	codeEmptyFile         code = "empty-file"
	codeSyntax            code = "yaml-syntax"
	codeSeveralDocuments  code = "several-documents"
	codeTooDeep           code = "too-deep"
	codeAnchor            code = "yaml-anchor"
	codeYAMLTag           code = "yaml-tag"
	codeDirective         code = "yaml-directive"
	codeComplexKey        code = "yaml-complex-key"
	codeVersion           code = "unsupported-version"
	codeUnknownKey        code = "unknown-key"
	codeDuplicateKey      code = "duplicate-key"
	codeMissingKey        code = "missing-key"
	codeMissingValue      code = "missing-value"
	codeWrongType         code = "wrong-type"
	codeInvalidValue      code = "invalid-value"
	codeOutOfRange        code = "out-of-range"
	codeTextLength        code = "text-length"
	codeTooMany           code = "too-many"
	codeInterpolation     code = "interpolation-in-name"
	codePathInName        code = "path-in-name"
	codeNameCharacter     code = "name-character"
	codeNameLength        code = "name-length"
	codeReservedName      code = "reserved-name"
	codeCollidingNames    code = "colliding-names"
	codeTagCharacter      code = "tag-character-set"
	codeReservedTag       code = "reserved-tag"
	codeNotPerEnvironment code = "not-per-environment"
	codeUnknownEntry      code = "unknown-entry"
	codeSecret            code = "secret-in-spec"
	codeUnknownRegion     code = "unknown-region"
	codeDuplicateItem     code = "duplicate-item"
	codeDestroy           code = "destroy"
	codeStackCycle        code = "stack-cycle"
)

// Rule is one rule that a spec is held to.
type Rule struct {
	// Code is the code of the findings that the rule gives.
	Code string
	// Summary says in one sentence what the rule asks for.
	Summary string
	// Source is the AWS page that the rule comes from, or "YAML", or "streamgen".
	Source string
}

const (
	ours    = "streamgen"
	yamlOwn = "YAML"

	pageTable    = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html"
	pageNames    = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"
	pageFunction = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"
	pageTags     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"
	pageRegions  = "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"
)

// Rules lists every rule, file-wide rules first. The codes of all findings that [Load] gives are among them.
func Rules() []Rule {
	return slices.Concat(fileRules(), tableRules(), handlerRules())
}

func rule(c code, summary, source string) Rule { return Rule{string(c), summary, source} }

// fileRules lists the rules of any entry.
func fileRules() []Rule {
	return []Rule{
		rule(codeFileTooLarge, "The file has at most 8 MiB, and a map in it at most 5,000 keys", ours),
		rule(codeNotUTF8, "The file is UTF-8", ours),
		rule(codeByteOrderMark, "The file does not start with a byte order mark", ours),
		rule(codeControlCharacter, "The file and its values hold no control characters", yamlOwn),
		rule(codeTabIndentation, "Lines are indented with spaces", yamlOwn),
		rule(codeTabCharacter, "Tab characters stand in comments only", ours),
		rule(codeEmptyFile, "The file holds a spec", ours),
		rule(codeSyntax, "The file is YAML", yamlOwn),
		rule(codeSeveralDocuments, "The file holds one YAML document", ours),
		rule(codeTooDeep, "Values nest at most 32 deep", ours),
		rule(codeAnchor, "Anchors, aliases and merge keys are not used", ours),
		rule(codeYAMLTag, "YAML tags such as !!str are not used", ours),
		rule(codeDirective, "YAML directives such as %YAML are not used", ours),
		rule(codeComplexKey, "Keys are plain: the form '? key' is not used", ours),
		rule(codeVersion, "The version of the spec's format is 1", ours),
		rule(codeUnknownKey, "Every key is one that the format knows", ours),
		rule(codeDuplicateKey, "A key stands once in its entry", yamlOwn),
		rule(codeMissingKey, "Required keys are there", ours),
		rule(codeMissingValue, "Every key has a value", ours),
		rule(codeWrongType, "Every value has its key's type", ours),
		rule(codeInvalidValue, "A value that is one of a few is one of them", ours),
		rule(codeOutOfRange, "Numbers are within AWS's limits", pageFunction),
		rule(codeTextLength, "Texts are within AWS's limits", pageFunction),
		rule(codeTooMany, "Lists and maps are within AWS's limits", pageTable),
		rule(codeInterpolation, "Names hold no HCL interpolation: a name is taken literally", ours),
		rule(codePathInName, "Names hold no slash, backslash or double dot: they become folders and files", ours),
		rule(codeNameCharacter, "Names are made of the characters that AWS allows", pageNames),
		rule(codeNameLength, "Names are as long as AWS allows", pageNames),
		rule(codeReservedName, "Tables and handlers do not have the name of a folder that Go or Windows treats specially", ours),
		rule(codeCollidingNames, "Names differ by more than the case of their letters", ours),
		rule(codeTagCharacter, "Tags are made of the characters that AWS allows", pageTags),
		rule(codeReservedTag, "Tags do not begin with aws: and are not the tag Project", pageTags),
		rule(codeNotPerEnvironment, "Environments override only what can differ: one HCL and one program serve all", ours),
		rule(codeUnknownEntry, "An environment overrides tables and handlers of this spec", ours),
		rule(codeSecret, "The spec holds no secrets", ours),
		rule(codeUnknownRegion, "The region is an AWS region", pageRegions),
		rule(codeDestroy, "What is to be destroyed has left the spec", ours),
		rule(codeStackCycle, "Stacks do not need each other: each is applied after those whose tables it uses", ours),
		rule(codeDuplicateItem, "Names in a list differ", pageTable),
	}
}

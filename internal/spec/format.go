package spec

import (
	"cmp"
	"regexp"
	"slices"

	"streamgen/internal/diag"
)

// The format of version 1. Each object's fields stand in the order in which the schema and the messages list them.

var specObject = object[Spec]{
	noun: "the spec",
	keys: func(s *Spec) *map[string]diag.Position { return &s.Origin.Keys },
	place: func(s *Spec, v value) {
		s.Origin.Pos = v.keyPos
	},
	fields: []field[Spec]{
		required("version", "Version of the spec's format; 1 is the only one.",
			integer{allowed: []int{1}}, func(s *Spec) *int { return &s.Version }),
		required("project", "Name of the project. Everything that is made in AWS carries it in the tag Project.",
			projectNames, func(s *Spec) *string { return &s.Project }),
		required("region", "The AWS region that everything is made in.",
			region{}, func(s *Spec) *string { return &s.Region }),
		preset("profile", "What entries are without further words: standard is ready for production; minimal has no failure queues, alarms, backups and protection, and drops no record.",
			choice{values: []string{"standard", "minimal"}}, func(s *Spec) *string { return &s.Profile }, "standard"),
		optional("allowed_account_ids", "The only AWS accounts to work in.", accounts, func(s *Spec) *[]string { return &s.AllowedAccountIDs }),
		optional("name_prefix", "What stands before every name in AWS.", namePrefixes, func(s *Spec) *string { return &s.NamePrefix }),
		optional("backend", "Where terraform keeps its state: one of local, s3, gcs, azurerm, http and remote, with its arguments.",
			backendShape{}, func(s *Spec) *Backend { return &s.Backend }),
		nested("terraform", "What applies the project.",
			preset("binary", "The program on the PATH: terraform, or OpenTofu's tofu. A project's state belongs to one of them.",
				choice{values: []string{"terraform", "tofu"}}, func(s *Spec) *string { return &s.Terraform.Binary }, "terraform"),
			optional("version", "The only version to use. Without it every version that gen supports will do. Where the PATH has another, terraform is downloaded.",
				programVersions, func(s *Spec) *string { return &s.Terraform.Version })),
		optional("tags", "Tags of every resource that takes tags.", ownTags(), func(s *Spec) *[]Tag { return &s.Tags }),
		nested("alarms", "Who is told of alarms.",
			optional("sns_topic", "A topic that is made for all alarms.", topicNames, func(s *Spec) *string { return &s.SNSTopic }),
			optional("alarm_actions", "ARNs that alarms notify.", list[string]{of: resourceARNs, max: 5, form: "Write a list of ARNs."}, func(s *Spec) *[]string { return &s.AlarmActions })),
		optional("tables", "DynamoDB tables by name.",
			dict[Table, Table]{
				names: tableNames, of: tableObject, form: "Write one key per table.",
				join: func(e entry, t Table) Table { t.Name, t.TableName = e.key, cmp.Or(t.TableName, e.key); return t },
			},
			func(s *Spec) *[]Table { return &s.Tables }),
		optional("handlers", "Lambda functions by name, each with the event source mapping that feeds it.",
			dict[Handler, Handler]{
				names: handlerNames, of: handlerObject, form: "Write one key per handler.",
				join: namedHandler,
			},
			func(s *Spec) *[]Handler { return &s.Handlers }),
		optional("destroy", "Tables, queues and buckets that left the spec and are to be destroyed with what is in them: table.NAME; queue.HANDLER and bucket.HANDLER of failures, parking.HANDLER of parked records. Without it these live on; log_group.HANDLER and idempotency.HANDLER do not, and a plan that deletes them is refused without it.",
			list[string]{of: dataNames, max: 1000, form: "Write a list, such as [table.orders]."}, func(s *Spec) *[]string { return &s.Destroy }),
		environmentsField(),
	},
}

var dataNames = matching{pattern: regexp.MustCompile(`^(table|queue|bucket|parking|idempotency|log_group)\..+$`), what: "table.NAME, or queue, bucket, parking, idempotency or log_group before a dot and the handler", form: "Write what it is before the entry's name: table.orders.", max: 300}

var programVersions = matching{
	pattern: regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z.-]+)?$`), what: "one version",
	form: "Write a version such as 1.12.6, no range.", max: 64,
}

// namedHandler completes a handler, and its only source where it has no others.
func namedHandler(e entry, h Handler) Handler {
	h.Name, h.FunctionName = e.key, cmp.Or(h.FunctionName, e.key)
	if s := first(&h.Sources); s.Origin.Path == "" {
		s.Origin = h.Origin
	}
	return h
}

// AWS allows 50 tags for a resource; the tag Project is one of them.
const maxTags = 48

// sortedDict is a dict whose order in the file means nothing.
type sortedDict[V, E any] struct {
	dict[V, E]
	by func(E) string
}

func sorted[V, E any](s dict[V, E], by func(E) string) sortedDict[V, E] {
	return sortedDict[V, E]{s, by}
}

func (s sortedDict[V, E]) decode(d *decoder, v value) []E {
	out := s.dict.decode(d, v)
	slices.SortFunc(out, func(a, b E) int { return cmp.Compare(s.by(a), s.by(b)) })
	return out
}

// first gives the first element of a list that has at least one.
func first[E any](list *[]E) *E {
	if len(*list) == 0 {
		*list = make([]E, 1)
	}
	return &(*list)[0]
}

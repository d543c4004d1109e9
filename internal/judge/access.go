package judge

import (
	"fmt"
	"slices"
	"strings"
)

// policyHolder is an argument that holds a policy document.
type policyHolder struct {
	kind, argument string
	// noun is what a sentence calls it.
	noun string
	// all says that the resource is nothing but the policy.
	all bool
	// self says that the resource "*" is the one that has the policy.
	self bool
}

var policyHolders = []policyHolder{
	{kind: "aws_iam_role_policy", argument: "policy", all: true},
	{kind: "aws_iam_user_policy", argument: "policy", all: true},
	{kind: "aws_iam_group_policy", argument: "policy", all: true},
	{kind: "aws_iam_policy", argument: "policy", all: true},
	{kind: "aws_iam_role", argument: "assume_role_policy", noun: "trust policy", all: true},
	{kind: "aws_iam_role", argument: "inline_policy", noun: "inline policy"},
	{kind: "aws_ssoadmin_permission_set_inline_policy", argument: "inline_policy", all: true},
	{kind: "aws_dynamodb_resource_policy", argument: "policy", all: true},
	{kind: "aws_sqs_queue", argument: "policy"},
	{kind: "aws_sqs_queue_policy", argument: "policy", all: true},
	{kind: "aws_sns_topic", argument: "policy"},
	{kind: "aws_sns_topic_policy", argument: "policy", all: true},
	{kind: "aws_s3_bucket", argument: "policy"},
	{kind: "aws_s3_bucket_policy", argument: "policy", all: true},
	{kind: "aws_s3_access_point", argument: "policy"},
	{kind: "aws_s3control_access_point_policy", argument: "policy", all: true},
	// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html: "*" is this key.
	{kind: "aws_kms_key", argument: "policy", noun: "key policy", self: true},
	{kind: "aws_kms_external_key", argument: "policy", noun: "key policy", self: true},
	{kind: "aws_kms_replica_key", argument: "policy", noun: "key policy", self: true},
	{kind: "aws_kms_replica_external_key", argument: "policy", noun: "key policy", self: true},
	{kind: "aws_kms_key_policy", argument: "policy", noun: "key policy", all: true, self: true},
	{kind: "aws_secretsmanager_secret", argument: "policy", self: true},
	{kind: "aws_secretsmanager_secret_policy", argument: "policy", all: true, self: true},
	{kind: "aws_kinesis_resource_policy", argument: "policy", all: true},
	{kind: "aws_ecr_repository_policy", argument: "policy", all: true},
	{kind: "aws_ecr_registry_policy", argument: "policy", all: true},
	{kind: "aws_cloudwatch_log_resource_policy", argument: "policy_document", all: true},
	{kind: "aws_cloudwatch_log_destination_policy", argument: "access_policy", all: true},
	{kind: "aws_cloudwatch_event_bus_policy", argument: "policy", all: true},
	{kind: "aws_efs_file_system_policy", argument: "policy", all: true},
	{kind: "aws_backup_vault_policy", argument: "policy", all: true},
	{kind: "aws_glue_resource_policy", argument: "policy", all: true},
	{kind: "aws_opensearch_domain", argument: "access_policies", noun: "access policy"},
	{kind: "aws_opensearch_domain_policy", argument: "access_policies", all: true},
	{kind: "aws_vpc_endpoint", argument: "policy"},
	{kind: "aws_vpc_endpoint_policy", argument: "policy", all: true},
	{kind: "aws_api_gateway_rest_api", argument: "policy"},
	{kind: "aws_api_gateway_rest_api_policy", argument: "policy", all: true},
	{kind: "aws_codeartifact_domain_permissions_policy", argument: "policy_document", all: true},
	{kind: "aws_codeartifact_repository_permissions_policy", argument: "policy_document", all: true},
	{kind: "aws_ses_identity_policy", argument: "policy", all: true},
	{kind: "aws_iot_policy", argument: "policy", all: true},
}

// policyChanged compares policy documents by what they grant, not by how they are written.
func policyChanged(c *change) []Finding {
	var out []Finding
	for _, h := range policyHolders {
		if h.kind != c.kind() || c.action == Forget || !h.all && c.destroys() || !c.changes(h.argument) || c.computed(h.argument) {
			continue
		}
		before, err := c.policyAt(c.was(h.argument), h.argument)
		if err == nil {
			var after policy
			if after, err = c.policyAt(c.will(h.argument), h.argument); err == nil {
				out = append(out, c.granted(h, before, after))
				continue
			}
		}
		severity := High
		if isUnknown(c.will(h.argument)) {
			severity = Medium
		}
		f := c.accessFinding(h, "policy-unreadable", severity, fmt.Sprintf("%s cannot be read: %v", h.name(), err))
		f.Arguments = slices.DeleteFunc(c.differences(), func(a Argument) bool { return a.at.top() != h.argument })
		out = append(out, f)
	}
	return out
}

func (h policyHolder) name() string {
	if h.noun == "" {
		return "policy"
	}
	return h.noun
}

// accessFinding is about the whole resource where that is nothing but the access, and is made or goes. The policy's text is left out:
// the grants say what it says.
func (c *change) accessFinding(h policyHolder, code string, severity Severity, summary string) Finding {
	f := c.finding(Access, code, severity, summary, h.argument)
	f.Arguments = nil
	if c.action != Update && h.all {
		f.whole = true
		f = f.because(c.why(), c.order())
		for _, p := range c.replacePaths() {
			f.ForcedBy = append(f.ForcedBy, p.String())
		}
	}
	return f
}

// granted makes the finding about two policies. What is new and wide is worst.
func (c *change) granted(h policyHolder, before, after policy) Finding {
	compared := compare(before, after)
	wide := slices.ContainsFunc(compared[New], func(g grant) bool { return g.wide(h.self) })
	undenied := denies(compared[Gone])
	severity, code := Low, "policy-rewritten"
	switch {
	case allows(compared[New]) > 0 || undenied > 0:
		code, severity = "access-widened", Medium
		if wide || undenied > 0 {
			severity = High
		} else if c.action == Create {
			severity = Low
		}
	case len(compared[New])+len(compared[Gone]) > 0:
		code, severity = "access-narrowed", Medium
		if c.action == Delete {
			severity = Low
		}
	case len(compared[Unresolved]) > 0:
		code = "access-unresolved"
	case before.version != after.version && before.version != "":
		code, severity = "policy-version", Medium
	}
	f := c.accessFinding(h, code, severity, h.name()+" "+compared.words(c.action))
	if code == "policy-rewritten" {
		f.Class = Rest // nobody may do more or less
	}
	if code == "policy-version" {
		f.Summary = fmt.Sprintf("%s is of version %q instead of %q", h.name(), after.version, before.version)
	}
	if wide {
		f.Summary += "; with a wildcard"
	}
	f.Grants = compared.list()
	return f
}

func allows(grants []grant) int { return actionsOf(grants, "Allow") }
func denies(grants []grant) int { return actionsOf(grants, "Deny") }

// actionsOf counts the actions of one effect.
func actionsOf(grants []grant, effect string) int {
	seen := map[string]bool{}
	for _, g := range grants {
		if g.effect == effect {
			seen[g.action] = true
		}
	}
	return len(seen)
}

// words says how much is new and gone.
func (c comparison) words(a Action) string {
	more := " more"
	if a == Create {
		more = ""
	}
	var parts []string
	for _, p := range []struct {
		n          int
		verb, rest string
	}{
		{allows(c[New]), "allows", more},
		{denies(c[New]), "denies", more},
		{allows(c[Gone]), "no longer allows", ""},
		{denies(c[Gone]), "no longer denies", ""},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s%s", p.verb, plural(p.n, "action"), p.rest))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case len(c[Unresolved]) > 0:
		return "allows the same actions, on what is known only after apply"
	}
	return "says the same as before"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// attachments are the arguments that name managed policies.
var attachments = []policyHolder{
	{kind: "aws_iam_role_policy_attachment", argument: "policy_arn", all: true},
	{kind: "aws_iam_user_policy_attachment", argument: "policy_arn", all: true},
	{kind: "aws_iam_group_policy_attachment", argument: "policy_arn", all: true},
	{kind: "aws_iam_policy_attachment", argument: "policy_arn", all: true},
	{kind: "aws_ssoadmin_managed_policy_attachment", argument: "managed_policy_arn", all: true},
	{kind: "aws_iam_role", argument: "managed_policy_arns", noun: "role"},
	{kind: "aws_iam_role_policy_attachments_exclusive", argument: "policy_arns", all: true},
	{kind: "aws_iam_user_policy_attachments_exclusive", argument: "policy_arns", all: true},
	{kind: "aws_iam_group_policy_attachments_exclusive", argument: "policy_arns", all: true},
}

// attachmentChanged is about managed policies: all that one says is allowed from then on, or no more.
func attachmentChanged(c *change) []Finding {
	var out []Finding
	for _, h := range attachments {
		if h.kind != c.kind() || c.action == Forget || !h.all && c.destroys() || !c.changes(h.argument) || c.computed(h.argument) {
			continue
		}
		compared := compare(attached(c.was(h.argument), ""), attached(c.will(h.argument), c.known(h.argument)))
		if len(compared) == 0 {
			continue
		}
		wide := slices.ContainsFunc(compared[New], func(g grant) bool { return broad(g.action) })
		code, severity, summary := "access-narrowed", Medium, "a managed policy is taken away"
		switch {
		case wide:
			code, severity, summary = "access-widened", High, "a managed policy that allows very much is attached"
		case len(compared[New]) > 0:
			code, summary = "access-widened", "a managed policy is attached"
		}
		if !wide && (c.action == Create || c.action == Delete) {
			severity = Low
		}
		f := c.accessFinding(h, code, severity, summary)
		f.Grants = compared.list()
		out = append(out, f)
	}
	return out
}

// attached makes grants of the ARNs of managed policies; the text is for one that is not known yet.
func attached(v any, later string) policy {
	p := policy{grants: map[grant]bool{}}
	for _, e := range oneOrMore(v) {
		arn, ok := e.(string)
		if !ok {
			arn = fmt.Sprint(e)
		}
		if isUnknown(e) {
			arn = later
		}
		p.grants[grant{effect: "Allow", action: "policy " + arn}] = true
	}
	return p
}

// broad knows AWS's own policies that allow all, or all of a service
// (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html).
func broad(policy string) bool {
	return strings.HasSuffix(policy, "/AdministratorAccess") || strings.HasSuffix(policy, "/PowerUserAccess") ||
		strings.HasSuffix(policy, "FullAccess")
}

// boundaryChanged is about the most that a role or user may be allowed. Without a boundary its policies count in full
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
func boundaryChanged(c *change) []Finding {
	const argument = "permissions_boundary"
	if c.action != Update || !c.changes(argument) {
		return nil
	}
	if blank(c.will(argument)) {
		return []Finding{c.finding(Access, "boundary-removed", High, "takes its permissions boundary away", argument).because(
			"Whatever its policies allow is allowed.")}
	}
	return []Finding{c.finding(Access, "boundary-changed", Medium, "gets another permissions boundary", argument)}
}

// permissionChanged is about who may invoke a function
// (https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html).
func permissionChanged(c *change) []Finding {
	if c.action == Forget {
		return nil
	}
	h := policyHolder{argument: "principal", noun: "function's policy", all: true}
	before, err := permission(c.before, func(a string) string { return shown(c.was(a)) })
	if err != nil {
		return nil
	}
	after, err := permission(c.after, c.known)
	if err != nil {
		return nil
	}
	if len(compare(before, after)) == 0 {
		return nil
	}
	return []Finding{c.granted(h, before, after)}
}

// permission makes a grant of the arguments of aws_lambda_permission.
func permission(of any, argument func(string) string) (policy, error) {
	p := policy{grants: map[grant]bool{}}
	if !isMap(of) {
		return p, nil
	}
	who := argument("principal")
	switch {
	case who == "*":
	case strings.Contains(who, ".amazonaws.com"):
		who = "Service " + who
	default:
		who = "AWS " + who
	}
	function := argument("function_name")
	if q := argument("qualifier"); q != "" {
		function += ":" + q
	}
	tests := map[string]any{}
	for key, name := range map[string]string{
		"source_arn": "aws:SourceArn", "source_account": "aws:SourceAccount", "principal_org_id": "aws:PrincipalOrgID",
		"event_source_token": "lambda:EventSourceToken", "function_url_auth_type": "lambda:FunctionUrlAuthType",
	} {
		if v := argument(key); v != "" {
			tests[name] = v
		}
	}
	condition := ""
	if len(tests) > 0 {
		var err error
		if condition, err = conditionOf(map[string]any{"StringLike": tests}); err != nil {
			return p, err
		}
	}
	return p, p.addAll("Allow", []string{who}, []string{argument("action")}, []string{function}, condition)
}

// roleChanged is about the role that a function runs as: it is what the function may do.
func roleChanged(c *change) []Finding {
	if c.action != Update || !c.changes("role") {
		return nil
	}
	return []Finding{c.finding(Access, "role-changed", Medium, "the function runs as another role", "role")}
}

// urlOpened is about a function that anybody can invoke who knows its address
// (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html).
func urlOpened(c *change) []Finding {
	const argument = "authorization_type"
	if c.will(argument) != "NONE" || c.was(argument) == "NONE" && c.action != Replace {
		return nil
	}
	f := c.finding(Access, "function-public", High, "anybody may invoke the function by its URL", argument)
	f.whole = c.action != Update
	return []Finding{f}
}

// publicAccess is about what keeps buckets from being public
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html).
func publicAccess(c *change) []Finding {
	arguments := []string{"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}
	open := slices.ContainsFunc(arguments, func(a string) bool { return c.turned(false, a) })
	switch {
	case c.action == Delete && !slices.ContainsFunc(arguments, func(a string) bool { return c.was(a) == true }), c.action == Forget, !open:
		return nil
	}
	f := c.finding(Access, "public-access", High, "buckets may become public", arguments...)
	f.whole = c.action != Update
	return []Finding{f.because("A bucket's own policy and ACLs decide from then on.")}
}

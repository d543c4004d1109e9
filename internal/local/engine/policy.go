package engine

import (
	"strconv"
	"strings"
	"time"
)

// Policy is a resource policy. Who may use the table by it is not for this package to say.
type Policy struct{ Text, Revision string }

// NoPolicy as an expected revision wants that there is no policy.
const NoPolicy = "NO_POLICY"

// newPolicy gives the policy that follows old: the same revision for the same text, else one that no policy had.
func newPolicy(text string, old Policy, now time.Time) Policy {
	if old.Revision != "" && old.Text == text {
		return old
	}
	revision := now.UnixMilli()
	if last, err := strconv.ParseInt(old.Revision, 10, 64); err == nil {
		revision = max(revision, last+1)
	}
	return Policy{Text: text, Revision: strconv.FormatInt(revision, 10)}
}

// ResourcePolicy gives the policy of a table or stream.
func (e *Engine) ResourcePolicy(arn string) (p Policy, err error) {
	err = e.inspect(e.tableOf(arn), noResource(arn), func(t *table) error {
		if err := t.owns(arn); err != nil {
			return err
		}
		p = t.settings.Policies[arn]
		if p.Revision == "" {
			return noPolicy(arn)
		}
		return nil
	})
	return p, err
}

// PutResourcePolicy sets the policy of a table or stream and gives its revision. expected, unless "", is the revision that the
// present policy must have.
func (e *Engine) PutResourcePolicy(arn, text, expected string) (revision string, err error) {
	err = e.configure(e.tableOf(arn), noResource(arn), func(t *table) error {
		if err := t.owns(arn); err != nil {
			return err
		}
		old := t.settings.Policies[arn]
		if expected != "" && expected != old.Revision && (expected != NoPolicy || old.Revision != "") {
			return noPolicy(arn)
		}
		next := newPolicy(text, old, e.options.Clock.Now())
		t.settings.Policies = cloned(t.settings.Policies)
		t.settings.Policies[arn] = next
		revision = next.Revision
		return nil
	})
	return revision, err
}

// DeleteResourcePolicy removes a policy and gives the revision that it had, "" when there was none.
func (e *Engine) DeleteResourcePolicy(arn, expected string) (revision string, err error) {
	err = e.configure(e.tableOf(arn), noResource(arn), func(t *table) error {
		if err := t.owns(arn); err != nil {
			return err
		}
		revision = t.settings.Policies[arn].Revision
		if expected != "" && expected != revision {
			return noPolicy(arn)
		}
		t.settings.Policies = cloned(t.settings.Policies)
		delete(t.settings.Policies, arn)
		return nil
	})
	return revision, err
}

func noPolicy(arn string) error {
	return fail("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: %s", arn)
}

// owns wants the ARN to be that of the table or of its latest stream.
func (t *table) owns(arn string) error {
	if arn == t.arn || t.stream != nil && arn == t.stream.ARN() {
		return nil
	}
	return noResource(arn)("")
}

// tableOf is the name in an ARN of a table of this account and region or of what belongs to one, else "".
func (e *Engine) tableOf(arn string) string {
	rest, ours := strings.CutPrefix(arn, e.arn(""))
	if !ours {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func noResource(arn string) func(string) error {
	return func(string) error {
		return fail("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
	}
}

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/fileplan"
	"streamgen/internal/report"
)

// A table whose stream_view_type changes gets another stream, with another ARN. Terraform would move a mapping there at once, and what the
// handler had not read of the old stream would never be read. So gen does it in two steps: first everything but the mapping and the policy
// that lets it read, which go on with the old stream; DynamoDB keeps that readable for a day. When it is drained, the mapping moves to the
// new stream, which has kept all changes since, for a day as well.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

const (
	// streamKind names a stream for --allow-destroy: its unread records.
	streamKind = "stream"
	// kept is how long a stream keeps records.
	kept = 24 * time.Hour
	// drainTime is how long the old stream of a table on AWS gets to be read to its end. Nothing tells how far a mapping has come; what is
	// not stuck is read within seconds.
	drainTime = 15 * time.Minute
)

// streamSwitch is a mapping whose table has, or gets, another stream.
type streamSwitch struct {
	// mapping is the address of the mapping, name what the command line calls it, uuid its id, and table the table's entry.
	mapping, name, uuid, table string
	// since is when the new stream began; zero as long as it has not. due is when the mapping may move there.
	since, due time.Time
	// waits says why the mapping does not move with this plan; empty when it does, and left says then what it leaves behind.
	waits, left string
	// holds are the addresses of what waits: the mapping, and the policy that lets it read the old stream.
	holds []string
}

func (sw streamSwitch) report() report.Stream {
	r := report.Stream{Table: sw.table, Mapping: sw.name, Address: sw.mapping, Waits: sw.waits, Step: 1}
	if !sw.since.IsZero() {
		lost := sw.since.Add(kept)
		r.Step, r.Due, r.LostAfter = 2, &sw.due, &lost
	}
	return r
}

// switches finds the mappings that a plan moves to another stream of their table, and says which of them have to wait.
func (s *session) switches(ctx context.Context, p judgedPlan, allowed allowedNames) ([]streamSwitch, error) {
	if !p.Changed || p.options.Destroy || p.options.RefreshOnly {
		return nil, nil
	}
	owners := s.owners()
	var list []streamSwitch
	for _, c := range p.shown.ResourceChanges {
		sw, found := movesToNewStream(p.shown, c)
		if !found {
			continue
		}
		owner := owners[index.ReplaceAllString(c.Address, "")]
		sw.table, sw.name = owner.Table, owner.Name
		switch {
		case allowed.names(streamKind + "." + sw.table):
			sw.left = "What the handler has not read of the old stream is left behind, as --allow-destroy says."
		case sw.since.IsZero():
			sw.waits = "the table gets its new stream first, and the mapping goes on with the old one"
		default:
			if err := s.drained(ctx, &sw); err != nil {
				return nil, err
			}
		}
		if sw.waits != "" {
			sw.holds = append(policiesOf(owners, owner.Entry), c.Address)
		}
		list = append(list, sw)
	}
	return list, nil
}

// policiesOf are the role policies of a handler.
func policiesOf(owners map[string]fileplan.Owner, handler string) []string {
	var list []string
	for address, o := range owners {
		if o.Entry == handler && strings.Contains(address, ".aws_iam_role_policy.") {
			list = append(list, address)
		}
	}
	return list
}

// movesToNewStream reports whether a change replaces a mapping because its table has, or gets, another stream.
func movesToNewStream(p *tfjson.Plan, c *tfjson.ResourceChange) (streamSwitch, bool) {
	if c.Type != "aws_lambda_event_source_mapping" || c.Change == nil || !c.Change.Actions.Replace() {
		return streamSwitch{}, false
	}
	before, after := attributes(c.Change.Before), attributes(c.Change.After)
	old, _ := before["event_source_arn"].(string)
	table, label, isStream := strings.Cut(old, "/stream/")
	if !isStream {
		return streamSwitch{}, false
	}
	sw := streamSwitch{mapping: c.Address}
	sw.uuid, _ = before["uuid"].(string)
	if now, known := after["event_source_arn"].(string); known {
		same, newLabel, _ := strings.Cut(now, "/stream/")
		since, err := time.Parse("2006-01-02T15:04:05.000", newLabel)
		sw.since = since
		return sw, err == nil && same == table && newLabel != label
	}
	return sw, slices.ContainsFunc(p.ResourceChanges, func(t *tfjson.ResourceChange) bool {
		if t.Type != "aws_dynamodb_table" || t.Change == nil || !t.Change.Actions.Update() {
			return false
		}
		was, will := attributes(t.Change.Before), attributes(t.Change.After)
		return was["stream_arn"] == old && was["stream_view_type"] != will["stream_view_type"] && will["stream_enabled"] == true
	})
}

func attributes(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// drained says whether the old stream of a mapping is read to its end, as far as anybody can tell.
func (s *session) drained(ctx context.Context, sw *streamSwitch) error {
	sw.due = sw.since
	if !s.env.local() {
		sw.due = sw.since.Add(drainTime)
	}
	if time.Now().Before(sw.due) {
		sw.waits = fmt.Sprintf("the handler has until %s to read the old stream to its end", sw.due.Local().Format(time.TimeOnly))
		return nil
	}
	settings, err := s.env.aws(ctx)
	if err != nil {
		return err
	}
	got, err := lambda.NewFromConfig(settings).GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: aws.String(sw.uuid)})
	if err != nil {
		return fmt.Errorf("looking whether %s has read the old stream to its end: %w", sw.mapping, err)
	}
	switch result := aws.ToString(got.LastProcessingResult); {
	case strings.HasPrefix(aws.ToString(got.State), "Disabl"):
		sw.waits = "the mapping is disabled and does not read the old stream"
	case strings.HasPrefix(result, "PROBLEM"):
		sw.waits = "the handler fails on records of the old stream: " + result
	default:
		sw.left = fmt.Sprintf("The handler had since %s to read the old stream to its end.", sw.since.Local().Format(time.DateTime))
	}
	return nil
}

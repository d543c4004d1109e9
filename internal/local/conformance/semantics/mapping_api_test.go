package semantics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// rest calls an operation of Lambda without a client.
func (s *stand) rest(method, path, body string) (status int, errorType string, out map[string]any) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.stack.Endpoint()+"/2015-03-31/event-source-mappings/"+path, strings.NewReader(body))
	s.must(err)
	res, err := http.DefaultClient.Do(req)
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	s.must(err)
	s.must(json.Unmarshal(text.Bytes(), &out))
	return res.StatusCode, res.Header.Get("X-Amzn-ErrorType"), out
}

// plainMapping is what the API shows of a mapping without options.
func (s *stand) plainMapping(state string) map[string]any {
	return map[string]any{
		"UUID": s.mapping, "StartingPosition": "TRIM_HORIZON", "BatchSize": 100.0, "MaximumBatchingWindowInSeconds": 0.0, "ParallelizationFactor": 1.0,
		"EventSourceArn": s.stream, "EventSourceMappingArn": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:" + s.mapping,
		"FunctionArn": fnARN, "LastModified": float64(began.UnixMilli()) / 1000, "LastProcessingResult": "No records processed", "State": state,
		"StateTransitionReason": "User action", "DestinationConfig": map[string]any{"OnFailure": map[string]any{}}, "MaximumRecordAgeInSeconds": -1.0,
		"BisectBatchOnFunctionError": false, "MaximumRetryAttempts": -1.0, "TumblingWindowInSeconds": 0.0, "FunctionResponseTypes": []any{},
	}
}

// disabled makes a mapping that does nothing.
func disabled(o options) options {
	o.Enabled = new(false)
	return o
}

func (s *stand) update(in lambda.UpdateEventSourceMappingInput) *lambda.UpdateEventSourceMappingOutput {
	s.Helper()
	in.UUID = &s.mapping
	out, err := s.lambda.UpdateEventSourceMapping(s.Context(), &in)
	s.must(err)
	return out
}

func (s *stand) delete() *lambda.DeleteEventSourceMappingOutput {
	s.Helper()
	out, err := s.lambda.DeleteEventSourceMapping(s.Context(), &lambda.DeleteEventSourceMappingInput{UUID: &s.mapping})
	s.must(err)
	return out
}

// TestMappingShape is what the API tells of a mapping.
func TestMappingShape(t *testing.T) {
	t.Parallel()
	runStands(t, []standRow{
		{"a plain create answers 202 with every default", func(s *stand) {
			status, _, out := s.rest(http.MethodPost, "", fmt.Sprintf(`{"EventSourceArn":%q,"FunctionName":"fn","StartingPosition":"TRIM_HORIZON"}`, s.stream))
			s.equal("the status", status, http.StatusAccepted)
			s.mapping, _ = out["UUID"].(string)
			s.equal("the mapping", out, s.plainMapping("Creating"))
		}},
		{"a read has the same members", func(s *stand) {
			s.create(options{})
			status, _, out := s.rest(http.MethodGet, s.mapping, "")
			s.equal("the status", status, http.StatusOK)
			s.equal("the mapping", out, s.plainMapping("Enabled"))
		}},
		{"no filters are left out", func(s *stand) {
			s.create(options{FilterCriteria: patterns()})
			_, _, out := s.rest(http.MethodGet, s.mapping, "")
			s.equal("the mapping", out, s.plainMapping("Enabled"))
		}},
		{"filters are told as they were given", func(s *stand) {
			const pattern = ` { "eventName" : ["INSERT"] } `
			s.create(options{FilterCriteria: patterns(pattern)})
			_, _, out := s.rest(http.MethodGet, s.mapping, "")
			want := s.plainMapping("Enabled")
			want["FilterCriteria"] = map[string]any{"Filters": []any{map[string]any{"Pattern": pattern}}}
			s.equal("the mapping", out, want)
		}},
		{"filters that are taken away are left out", func(s *stand) {
			s.create(options{FilterCriteria: patterns(`{"eventName":["INSERT"]}`)})
			s.update(lambda.UpdateEventSourceMappingInput{FilterCriteria: patterns()})
			_, _, out := s.rest(http.MethodGet, s.mapping, "")
			s.equal("the mapping", out, s.plainMapping("Enabled"))
		}},
		{"options are told as they were given", func(s *stand) {
			s.queue()
			s.create(options{
				StartingPosition: types.EventSourcePositionLatest, BatchSize: new(int32(7)), MaximumBatchingWindowInSeconds: new(int32(3)), ParallelizationFactor: new(int32(2)),
				MaximumRecordAgeInSeconds: new(int32(90)), MaximumRetryAttempts: new(int32(4)), BisectBatchOnFunctionError: new(true), FunctionResponseTypes: reports,
				DestinationConfig: onFailure(queueARN),
			})
			_, _, out := s.rest(http.MethodGet, s.mapping, "")
			want := s.plainMapping("Enabled")
			maps.Copy(want, map[string]any{
				"StartingPosition": "LATEST", "BatchSize": 7.0, "MaximumBatchingWindowInSeconds": 3.0, "ParallelizationFactor": 2.0, "MaximumRecordAgeInSeconds": 90.0,
				"MaximumRetryAttempts": 4.0, "BisectBatchOnFunctionError": true, "FunctionResponseTypes": []any{"ReportBatchItemFailures"},
				"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": queueARN}},
			})
			s.equal("the mapping", out, want)
		}},
		{"an update changes what it names alone", func(s *stand) {
			s.create(options{BatchSize: new(int32(7))})
			s.write("+2s")
			s.update(lambda.UpdateEventSourceMappingInput{MaximumRetryAttempts: new(int32(4))})
			_, _, out := s.rest(http.MethodGet, s.mapping, "")
			want := s.plainMapping("Enabled")
			maps.Copy(want, map[string]any{"BatchSize": 7.0, "MaximumRetryAttempts": 4.0, "LastModified": float64(began.UnixMilli()+2000) / 1000})
			s.equal("the mapping", out, want)
		}},
		{"a function without a qualifier is told without one", func(s *stand) { s.equal("the ARN", *s.create(options{}).FunctionArn, fnARN) }},
		{"a qualifier that was given is told", func(s *stand) {
			version, err := s.lambda.PublishVersion(s.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("fn")})
			s.must(err)
			_, err = s.lambda.CreateAlias(s.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: version.Version})
			s.must(err)
			for name, want := range map[string]string{
				"fn:1": fnARN + ":1", "fn:live": fnARN + ":live", "fn:$LATEST": fnARN + ":$LATEST", "000000000000:function:fn": fnARN, fnARN: fnARN,
			} {
				s.equal("the ARN of "+name, *s.create(options{FunctionName: &name}).FunctionArn, want)
				s.delete()
			}
		}},
		{"two functions may read one stream", func(s *stand) {
			s.register("other")
			s.create(options{})
			s.create(options{FunctionName: aws.String("other")})
			out, err := s.lambda.ListEventSourceMappings(s.Context(), &lambda.ListEventSourceMappingsInput{EventSourceArn: &s.stream})
			s.must(err)
			s.equal("mappings", len(out.EventSourceMappings), 2)
		}},
	})
}

// TestMappingRanges is the range of each option: its ends are taken, and what is beyond them is not.
func TestMappingRanges(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		low, high int32
		member    string
		set       func(*options, *int32)
	}{
		{"BatchSize is 1 to 10000", 1, 10000, "batchSize", func(o *options, n *int32) { o.BatchSize = n }},
		{"MaximumBatchingWindowInSeconds is 0 to 300", 0, 300, "maximumBatchingWindowInSeconds", func(o *options, n *int32) { o.MaximumBatchingWindowInSeconds = n }},
		{"ParallelizationFactor is 1 to 10", 1, 10, "parallelizationFactor", func(o *options, n *int32) { o.ParallelizationFactor = n }},
		{"MaximumRetryAttempts is -1 to 10000", -1, 10000, "maximumRetryAttempts", func(o *options, n *int32) { o.MaximumRetryAttempts = n }},
		{"MaximumRecordAgeInSeconds is up to 604800", -1, 604800, "maximumRecordAgeInSeconds", func(o *options, n *int32) { o.MaximumRecordAgeInSeconds = n }},
		{"TumblingWindowInSeconds is 0 to 900", 0, 900, "tumblingWindowInSeconds", func(o *options, n *int32) { o.TumblingWindowInSeconds = n }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.register("fn")
			for _, n := range []int32{row.low, row.high} {
				o := disabled(options{})
				row.set(&o, &n)
				s.create(o)
				s.delete()
			}
			for _, beyond := range []struct {
				n       int32
				compare string
			}{{row.low - 1, fmt.Sprintf("greater than or equal to %d", row.low)}, {row.high + 1, fmt.Sprintf("less than or equal to %d", row.high)}} {
				o := disabled(options{})
				row.set(&o, &beyond.n)
				_, err := s.try(o)
				s.refused(err, "ValidationException", 400, fmt.Sprintf("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: "+
					"Member must have value %s", beyond.n, row.member, beyond.compare))
			}
		})
	}
	t.Run("MaximumRecordAgeInSeconds is -1 or at least 60", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.register("fn")
		s.create(disabled(options{MaximumRecordAgeInSeconds: new(int32(60))}))
		s.delete()
		for _, n := range []int32{0, 59} {
			_, err := s.try(options{MaximumRecordAgeInSeconds: &n})
			s.refused(err, "InvalidParameterValueException", 400, fmt.Sprintf("MaximumRecordAgeInSeconds is -1 or from 60 to 604800, not %d", n))
		}
	})
	t.Run("StartingPosition TRIM_HORIZON begins with the oldest record", func(t *testing.T) {
		mappingRow{written: "a b", deliveries: []delivery{{"a b", ok, ""}}}.run(t)
	})
	t.Run("StartingPosition LATEST begins with what is written next", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.register("fn")
		s.write("a")
		s.create(options{StartingPosition: types.EventSourcePositionLatest})
		s.write("b")
		s.expect("b").reply(ok)
		s.settle()
	})
}

// TestMappingErrors is what a caller hears of what is not possible.
func TestMappingErrors(t *testing.T) {
	t.Parallel()
	const (
		absent  = "c0ffee00-0000-4000-8000-000000000000"
		missing = "The resource you requested does not exist."
		invalid = "InvalidParameterValueException"
	)
	runStands(t, []standRow{
		{"a read of an unknown UUID", func(s *stand) {
			_, err := s.lambda.GetEventSourceMapping(s.Context(), &lambda.GetEventSourceMappingInput{UUID: aws.String(absent)})
			s.refused(err, "ResourceNotFoundException", 404, missing)
		}},
		{"an update of an unknown UUID", func(s *stand) {
			_, err := s.lambda.UpdateEventSourceMapping(s.Context(), &lambda.UpdateEventSourceMappingInput{UUID: aws.String(absent)})
			s.refused(err, "ResourceNotFoundException", 404, missing)
		}},
		{"a delete of an unknown UUID", func(s *stand) {
			_, err := s.lambda.DeleteEventSourceMapping(s.Context(), &lambda.DeleteEventSourceMappingInput{UUID: aws.String(absent)})
			s.refused(err, "ResourceNotFoundException", 404, missing)
		}},
		{"the error's type is in a header", func(s *stand) {
			status, kind, out := s.rest(http.MethodGet, absent, "")
			kind, _, _ = strings.Cut(kind, ":")
			s.equal("the answer", fmt.Sprint(status, " ", kind, " ", out["Message"]), "404 ResourceNotFoundException "+missing)
		}},
		{"a stream that does not exist", func(s *stand) {
			arn := tableARN + "/stream/2020-01-02T03:04:05.678"
			_, err := s.try(options{EventSourceArn: &arn})
			s.refused(err, invalid, 400, "Stream not found: "+arn)
		}},
		{"a function that does not exist", func(s *stand) {
			_, err := s.try(options{FunctionName: aws.String("absent")})
			s.refused(err, invalid, 400, "Function does not exist")
		}},
		{"the same stream and function twice", func(s *stand) {
			s.create(options{})
			_, err := s.try(options{})
			s.refused(err, "ResourceConflictException", 409, fmt.Sprintf(`The event source arn (" %s ") and function (" fn ") provided mapping already exists. `+
				`Please update or delete the existing mapping with UUID %s`, s.stream, s.mapping))
		}},
		{"a filter that is no JSON", func(s *stand) { s.badFilter(`{"eventName":`) }},
		{"a filter whose value is no array", func(s *stand) { s.badFilter(`{"eventName":"INSERT"}`) }},
		{"no starting position", func(s *stand) {
			_, err := s.lambda.CreateEventSourceMapping(s.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &s.stream, FunctionName: aws.String("fn")})
			s.refused(err, invalid, 400, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
		}},
		{"a starting position that is none", func(s *stand) {
			_, err := s.try(options{StartingPosition: "invalid"})
			s.refused(err, "ValidationException", 400, "1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")
		}},
		{"AT_TIMESTAMP", func(s *stand) {
			_, err := s.try(options{StartingPosition: types.EventSourcePositionAtTimestamp})
			s.refused(err, invalid, 400, "Unsupported starting position for arn type: "+s.stream)
		}},
		{"a response type that is none", func(s *stand) {
			_, err := s.try(options{FunctionResponseTypes: []types.FunctionResponseType{"Others"}})
			s.refused(err, "ValidationException", 400, "1 validation error detected: Value 'Others' at 'functionResponseTypes' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [ReportBatchItemFailures]")
		}},
	})
}

// badFilter wants a pattern to be refused. The stack says more than AWS does: after AWS's words comes what is wrong.
func (s *stand) badFilter(pattern string) {
	s.Helper()
	_, err := s.try(options{FilterCriteria: patterns(pattern)})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterValueException" || !strings.HasPrefix(api.ErrorMessage(), "Invalid filter pattern definition.") {
		s.Errorf("got %v", err)
	}
}

// TestMappingStates is the states of a mapping, and what it says that it did last.
func TestMappingStates(t *testing.T) {
	t.Parallel()
	on, off := lambda.UpdateEventSourceMappingInput{Enabled: new(true)}, lambda.UpdateEventSourceMappingInput{Enabled: new(false)}
	runStands(t, []standRow{
		{"Creating comes to Enabled", func(s *stand) {
			s.equal("created", *s.create(options{}).State, "Creating")
			s.equal("settled", s.shown(), "Enabled, No records processed")
		}},
		{"a mapping may be created disabled", func(s *stand) {
			s.create(disabled(options{}))
			s.equal("settled", s.shown(), "Disabled, No records processed")
		}},
		{"Updating comes to Enabled", func(s *stand) {
			s.create(options{})
			s.equal("updated", *s.update(lambda.UpdateEventSourceMappingInput{BatchSize: new(int32(1))}).State, "Updating")
			s.equal("settled", s.shown(), "Enabled, No records processed")
		}},
		{"Updating comes to Disabled", func(s *stand) {
			s.create(disabled(options{}))
			s.equal("updated", *s.update(lambda.UpdateEventSourceMappingInput{BatchSize: new(int32(1))}).State, "Updating")
			s.equal("settled", s.shown(), "Disabled, No records processed")
		}},
		{"Disabling comes to Disabled", func(s *stand) {
			s.create(options{})
			s.equal("updated", *s.update(off).State, "Disabling")
			s.equal("settled", s.shown(), "Disabled, No records processed")
		}},
		{"Enabling comes to Enabled", func(s *stand) {
			s.create(disabled(options{}))
			s.equal("updated", *s.update(on).State, "Enabling")
			s.equal("settled", s.shown(), "Enabled, No records processed")
		}},
		{"Deleting ends in 404", func(s *stand) {
			s.create(options{})
			s.equal("deleted", *s.delete().State, "Deleting")
			_, err := s.lambda.GetEventSourceMapping(s.Context(), &lambda.GetEventSourceMappingInput{UUID: &s.mapping})
			s.refused(err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
		}},
		{"update and delete answer 202", func(s *stand) {
			s.create(options{})
			updated, _, _ := s.rest(http.MethodPut, s.mapping, `{"BatchSize":3}`)
			deleted, _, _ := s.rest(http.MethodDelete, s.mapping, "")
			s.equal("the statuses", []int{updated, deleted}, []int{202, 202})
		}},
		{"a deleted table leaves the state as it is", func(s *stand) {
			s.create(options{})
			_, err := s.db.DeleteTable(s.Context(), &dynamodb.DeleteTableInput{TableName: orders})
			s.must(err)
			s.equal("the mapping", s.shown(), "Enabled, No records processed")
		}},
		{"a deleted function leaves the state as it is", func(s *stand) {
			s.create(options{})
			_, err := s.lambda.DeleteFunction(s.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("fn")})
			s.must(err)
			s.write("a")
			s.until("refused", 3)
			s.equal("the mapping", s.shown(), "Enabled, "+problem)
		}},
		{"it says OK after a success", func(s *stand) {
			s.write("a")
			s.create(options{})
			s.expect("a").reply(ok)
			s.settle()
			s.equal("the mapping", s.shown(), "Enabled, OK")
		}},
		{"it says PROBLEM after a failure", func(s *stand) {
			s.write("a")
			s.create(options{})
			s.expect("a").reply(fails)
			c := s.expect("a")
			s.equal("the mapping", s.shown(), "Enabled, "+problem)
			c.reply(ok)
			s.settle()
			s.equal("the mapping", s.shown(), "Enabled, OK")
		}},
		{"disabled keeps the checkpoint", func(s *stand) {
			s.write("a")
			s.create(options{})
			s.expect("a").reply(ok)
			s.settle()
			s.update(off)
			s.write("b +1h c")
			s.update(on)
			s.expect("b c").reply(ok)
			s.settle()
		}},
		{"disabled, the batch in flight comes to its end", func(s *stand) {
			s.write("a")
			s.create(options{})
			c := s.expect("a")
			s.update(off)
			c.reply(ok)
			s.until("success", 1)
			s.update(on)
			s.write("b")
			s.expect("b").reply(ok)
			s.settle()
		}},
	})
}

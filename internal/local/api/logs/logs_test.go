package logs_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/api/logs"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

const arn = "arn:aws:logs:us-east-1:000000000000:log-group:"

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

type fixture struct {
	*cwl.Client
	groups *control.Logs
	clock  *clock.Manual
	url    string
}

func newFixture(t *testing.T) fixture {
	c := clock.NewManual(start())
	groups := control.NewLogs("000000000000", "us-east-1", c)
	server := httptest.NewServer(logs.New(groups, usable))
	t.Cleanup(server.Close)
	return fixture{cwl.New(cwl.Options{Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}), groups, c, server.URL}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestLogGroup(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("/aws/lambda/f"), Tags: map[string]string{"a": "1"}, LogGroupClass: types.LogGroupClassStandard})
	must(t, err)
	_, err = f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("/aws/lambda/f")})
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = f.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("/aws/lambda/f"), RetentionInDays: aws.Int32(14)})
	must(t, err)
	got, err := f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/f")})
	must(t, err)
	if len(got.LogGroups) != 1 || got.NextToken != nil {
		t.Fatalf("got %+v", got)
	}
	g := got.LogGroups[0]
	if aws.ToString(g.Arn) != arn+"/aws/lambda/f:*" || aws.ToString(g.LogGroupArn) != arn+"/aws/lambda/f" || g.LogGroupClass != types.LogGroupClassStandard ||
		aws.ToInt32(g.RetentionInDays) != 14 || aws.ToInt64(g.CreationTime) != start().UnixMilli() || g.DeletionProtectionEnabled == nil || *g.DeletionProtectionEnabled || aws.ToInt64(g.StoredBytes) != 0 {
		t.Errorf("got %+v", g)
	}
	_, err = f.DeleteRetentionPolicy(ctx, &cwl.DeleteRetentionPolicyInput{LogGroupName: aws.String("/aws/lambda/f")})
	must(t, err)
	got, err = f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{})
	must(t, err)
	if got.LogGroups[0].RetentionInDays != nil {
		t.Errorf("the retention is %d days", *got.LogGroups[0].RetentionInDays)
	}
	_, err = f.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: aws.String("/aws/lambda/f")})
	must(t, err)
	_, err = f.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: aws.String("/aws/lambda/f")})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	got, err = f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/f")})
	must(t, err)
	if len(got.LogGroups) != 0 {
		t.Errorf("got %+v", got.LogGroups)
	}
}

func TestDescribeLogGroupsPagesAndSearches(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	for _, name := range []string{"b/2", "a/1", "b/1", "b/3", "c"} {
		must(t, f.groups.CreateGroup(control.LogGroup{Name: name}))
	}
	var names []string
	for p := cwl.NewDescribeLogGroupsPaginator(f, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("b/"), Limit: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, err)
		for _, g := range page.LogGroups {
			names = append(names, aws.ToString(g.LogGroupName))
		}
	}
	if diff := cmp.Diff([]string{"b/1", "b/2", "b/3"}, names); diff != "" {
		t.Error(diff)
	}
	got, err := f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePattern: aws.String("/1")})
	must(t, err)
	if len(got.LogGroups) != 2 || got.LogGroups[0].LogGroupArn != nil {
		t.Errorf("got %+v", got.LogGroups)
	}
	got, err = f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupClass: types.LogGroupClassInfrequentAccess})
	must(t, err)
	if len(got.LogGroups) != 0 {
		t.Errorf("%d groups of another class", len(got.LogGroups))
	}
	_, err = f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{NextToken: aws.String("unknown")})
	wantError(t, err, "InvalidParameterException", "nextToken")
}

func TestTags(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g", Tags: map[string]string{"a": "1", "b": "2"}}))
	_, err := f.TagResource(ctx, &cwl.TagResourceInput{ResourceArn: aws.String(arn + "g"), Tags: map[string]string{"a": "3"}})
	must(t, err)
	_, err = f.UntagResource(ctx, &cwl.UntagResourceInput{ResourceArn: aws.String(arn + "g:*"), TagKeys: []string{"b"}})
	must(t, err)
	got, err := f.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: aws.String(arn + "g")})
	must(t, err)
	if diff := cmp.Diff(map[string]string{"a": "3"}, got.Tags); diff != "" {
		t.Error(diff)
	}
	_, err = f.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: aws.String(arn + "other")})
	wantError(t, err, "ResourceNotFoundException", "The specified resource does not exist.")
}

func input(events ...any) []types.InputLogEvent {
	var all []types.InputLogEvent
	for i := 0; i < len(events); i += 2 {
		at := start().Add(time.Duration(events[i].(int)) * time.Millisecond)
		all = append(all, types.InputLogEvent{Timestamp: aws.Int64(at.UnixMilli()), Message: aws.String(events[i+1].(string))})
	}
	return all
}

func (f fixture) put(t *testing.T, stream string, events ...any) {
	t.Helper()
	_, err := f.CreateLogStream(t.Context(), &cwl.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: &stream})
	must(t, err)
	out, err := f.PutLogEvents(t.Context(), &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: &stream, LogEvents: input(events...)})
	must(t, err)
	if out.RejectedLogEventsInfo != nil {
		t.Errorf("rejected %+v", out.RejectedLogEventsInfo)
	}
}

func TestStreams(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	f.put(t, "x/[$LATEST]1", 5, "late")
	f.put(t, "x/[$LATEST]2", 1, "early", 2, "early")
	_, err := f.CreateLogStream(ctx, &cwl.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("empty")})
	must(t, err)
	names := func(in *cwl.DescribeLogStreamsInput) (names []string) {
		t.Helper()
		in.Limit = aws.Int32(1)
		for p := cwl.NewDescribeLogStreamsPaginator(f, in); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			must(t, err)
			for _, s := range page.LogStreams {
				names = append(names, aws.ToString(s.LogStreamName))
			}
		}
		return names
	}
	for _, test := range []struct {
		in   cwl.DescribeLogStreamsInput
		want []string
	}{
		{cwl.DescribeLogStreamsInput{LogGroupName: aws.String("g")}, []string{"empty", "x/[$LATEST]1", "x/[$LATEST]2"}},
		{cwl.DescribeLogStreamsInput{LogGroupIdentifier: aws.String(arn + "g"), Descending: aws.Bool(true)}, []string{"x/[$LATEST]2", "x/[$LATEST]1", "empty"}},
		{cwl.DescribeLogStreamsInput{LogGroupName: aws.String("g"), LogStreamNamePrefix: aws.String("x/")}, []string{"x/[$LATEST]1", "x/[$LATEST]2"}},
		{cwl.DescribeLogStreamsInput{LogGroupIdentifier: aws.String("g"), OrderBy: types.OrderByLastEventTime}, []string{"empty", "x/[$LATEST]2", "x/[$LATEST]1"}},
	} {
		if diff := cmp.Diff(test.want, names(&test.in)); diff != "" {
			t.Error(diff)
		}
	}
	got, err := f.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: aws.String("g"), LogStreamNamePrefix: aws.String("x/[$LATEST]2")})
	must(t, err)
	ms := start().UnixMilli()
	if s := got.LogStreams[0]; aws.ToInt64(s.FirstEventTimestamp) != ms+1 || aws.ToInt64(s.LastEventTimestamp) != ms+2 || aws.ToInt64(s.LastIngestionTime) != ms ||
		aws.ToString(s.Arn) != arn+"g:log-stream:x/[$LATEST]2" {
		t.Errorf("got %+v", s)
	}
	_, err = f.DeleteLogStream(ctx, &cwl.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("empty")})
	must(t, err)
	_, err = f.GetLogEvents(ctx, &cwl.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("empty")})
	wantError(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
}

func TestPutLogEventsRejects(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	must(t, f.groups.CreateStream("g", "s"))
	out, err := f.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		LogEvents: input(0, "now", 3*3600*1000, "ahead"), SequenceToken: aws.String("any")})
	must(t, err)
	if r := out.RejectedLogEventsInfo; r == nil || aws.ToInt32(r.TooNewLogEventStartIndex) != 1 || r.TooOldLogEventEndIndex != nil || r.ExpiredLogEventEndIndex != nil {
		t.Errorf("rejected %+v", r)
	}
	for name, test := range map[string]struct {
		events []types.InputLogEvent
		text   string
	}{
		"order": {input(1, "a", 0, "b"), "must be in chronological order"},
		"span":  {input(-25*3600*1000, "a", 0, "b"), "cannot span more than 24 hours"},
		"size":  {input(0, strings.Repeat("x", 1<<20)), "Upload too large"},
		"none":  {[]types.InputLogEvent{}, "'logEvents' failed to satisfy constraint"},
		"empty": {input(0, ""), "logEvents.1.member.message"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: test.events})
			wantError(t, err, "InvalidParameterException", test.text)
		})
	}
}

func (f fixture) get(t *testing.T, in cwl.GetLogEventsInput) (text string, out *cwl.GetLogEventsOutput) {
	t.Helper()
	in.LogGroupName, in.LogStreamName = aws.String("g"), aws.String("s")
	out, err := f.GetLogEvents(t.Context(), &in)
	must(t, err)
	for _, e := range out.Events {
		text += aws.ToString(e.Message)
	}
	return text, out
}

func TestGetLogEvents(t *testing.T) {
	f := newFixture(t)
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	f.put(t, "other", 0, "x")
	f.put(t, "s", 0, "a", 1, "b", 1, "c", 2, "d", 3, "e")

	tail, out := f.get(t, cwl.GetLogEventsInput{Limit: aws.Int32(2)})
	if tail != "de" {
		t.Errorf("the tail is %q", tail)
	}
	before, out := f.get(t, cwl.GetLogEventsInput{Limit: aws.Int32(2), NextToken: out.NextBackwardToken})
	if before != "bc" {
		t.Errorf("before it is %q", before)
	}
	after, _ := f.get(t, cwl.GetLogEventsInput{NextToken: out.NextForwardToken, StartFromHead: aws.Bool(true)})
	if after != "de" {
		t.Errorf("after it is %q", after)
	}
	head, out := f.get(t, cwl.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	if head != "abcde" {
		t.Errorf("from the head it is %q", head)
	}
	end, again := f.get(t, cwl.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: out.NextForwardToken})
	if end != "" || aws.ToString(again.NextForwardToken) != aws.ToString(out.NextForwardToken) {
		t.Errorf("at the end it is %q, %s", end, *again.NextForwardToken)
	}
	f.groups.Append("g", "s", start().Add(3*time.Millisecond), "f")
	if more, _ := f.get(t, cwl.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: out.NextForwardToken}); more != "f" {
		t.Errorf("past the end it is %q", more)
	}
	ms := start().UnixMilli()
	if within, _ := f.get(t, cwl.GetLogEventsInput{StartTime: aws.Int64(ms + 1), EndTime: aws.Int64(ms + 3)}); within != "bcd" {
		t.Errorf("within the range it is %q", within)
	}
	for _, token := range []string{"x", "f/1", "g/" + strings.Repeat("0", 56), "f/" + strings.Repeat("x", 56)} {
		_, err := f.GetLogEvents(t.Context(), &cwl.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), NextToken: &token})
		wantError(t, err, "InvalidParameterException", "nextToken")
	}
}

func TestGetLogEventsAnswersAMegabyte(t *testing.T) {
	f := newFixture(t)
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	f.put(t, "s", 0, "small")
	f.groups.Append("g", "s", start(), strings.Repeat("x", 600_000))
	f.groups.Append("g", "s", start(), strings.Repeat("y", 600_000))
	got, out := f.get(t, cwl.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	if len(out.Events) != 2 || !strings.HasPrefix(got, "small") {
		t.Errorf("%d events of %d bytes", len(out.Events), len(got))
	}
	if rest, _ := f.get(t, cwl.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: out.NextForwardToken}); !strings.HasPrefix(rest, "y") {
		t.Error("the rest is missing")
	}
}

func (f fixture) filter(t *testing.T, in cwl.FilterLogEventsInput) string {
	t.Helper()
	in.LogGroupName = aws.String("g")
	text, ids := "", map[string]bool{}
	for p := cwl.NewFilterLogEventsPaginator(f, &in); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		must(t, err)
		for _, e := range page.Events {
			text += aws.ToString(e.Message)
			if id := aws.ToString(e.EventId); len(id) != 56 || ids[id] {
				t.Errorf("event id %q", id)
			}
			ids[aws.ToString(e.EventId)] = true
			if aws.ToInt64(e.IngestionTime) != start().UnixMilli() || aws.ToString(e.LogStreamName) == "" {
				t.Errorf("event %+v", e)
			}
		}
	}
	return text
}

func TestFilterLogEvents(t *testing.T) {
	f := newFixture(t)
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	f.put(t, "a1", 0, "a", 2, "c", 4, "e")
	f.put(t, "a2", 1, "b", 2, "d")
	f.put(t, "b", 5, "f")
	ms := start().UnixMilli()
	for name, test := range map[string]struct {
		in   cwl.FilterLogEventsInput
		want string
	}{
		"all":           {cwl.FilterLogEventsInput{}, "abcdef"},
		"pages":         {cwl.FilterLogEventsInput{Limit: aws.Int32(1)}, "abcdef"},
		"names":         {cwl.FilterLogEventsInput{LogStreamNames: []string{"a2", "b"}}, "bdf"},
		"prefix":        {cwl.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a")}, "abcde"},
		"range":         {cwl.FilterLogEventsInput{StartTime: aws.Int64(ms + 1), EndTime: aws.Int64(ms + 4)}, "bcde"},
		"pattern":       {cwl.FilterLogEventsInput{FilterPattern: aws.String("?c ?f")}, "cf"},
		"pattern pages": {cwl.FilterLogEventsInput{FilterPattern: aws.String("?c ?f"), Limit: aws.Int32(1)}, "cf"},
		"interleaved":   {cwl.FilterLogEventsInput{Interleaved: aws.Bool(true)}, "abcdef"}, //nolint:staticcheck // clients still send it
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.filter(t, test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		in         cwl.FilterLogEventsInput
		code, text string
	}{
		"no group":         {cwl.FilterLogEventsInput{LogGroupName: aws.String("x")}, "ResourceNotFoundException", "log group does not exist"},
		"no stream":        {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), LogStreamNames: []string{"x"}}, "ResourceNotFoundException", "log stream does not exist"},
		"name and prefix":  {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), LogStreamNames: []string{"b"}, LogStreamNamePrefix: aws.String("b")}, "InvalidParameterException", "mutually exclusive"},
		"group twice":      {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), LogGroupIdentifier: aws.String("g")}, "InvalidParameterException", "mutually exclusive"},
		"unmask":           {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), Unmask: true}, "ValidationException", "does not emulate unmask"},
		"limit":            {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), Limit: aws.Int32(10001)}, "InvalidParameterException", "'limit'"},
		"JSON pattern":     {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(`{ $.a = 1 }`)}, "ValidationException", "does not emulate filterPattern"},
		"foreign group":    {cwl.FilterLogEventsInput{LogGroupIdentifier: aws.String("arn:aws:logs:us-east-1:999999999999:log-group:g")}, "ResourceNotFoundException", "log group does not exist"},
		"unreadable token": {cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), NextToken: aws.String("x")}, "InvalidParameterException", "nextToken"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.FilterLogEvents(t.Context(), &test.in)
			wantError(t, err, test.code, test.text)
		})
	}
}

func TestRetentionThroughTheAPI(t *testing.T) {
	f := newFixture(t)
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	must(t, f.groups.UpdateGroup("g", func(g *control.LogGroup) { g.RetentionDays = 1 }))
	f.put(t, "s", 0, "a")
	f.clock.Advance(24*time.Hour + time.Second)
	if got, _ := f.get(t, cwl.GetLogEventsInput{}); got != "" {
		t.Errorf("past its retention, %q is there", got)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	must(t, f.groups.CreateGroup(control.LogGroup{Name: "g"}))
	for name, test := range map[string]struct{ operation, body, code, text string }{
		"key":                {"CreateLogGroup", `{"logGroupName":"x","kmsKeyId":"k"}`, "InvalidParameterException", "The specified KMS Key Id could not be found."},
		"class":              {"CreateLogGroup", `{"logGroupName":"x","logGroupClass":"DELIVERY"}`, "ValidationException", "does not emulate logGroupClass DELIVERY"},
		"unknown class":      {"CreateLogGroup", `{"logGroupName":"x","logGroupClass":"COLD"}`, "InvalidParameterException", "[STANDARD, INFREQUENT_ACCESS, DELIVERY]"},
		"query results":      {"AssociateKmsKey", `{"resourceIdentifier":"arn:aws:logs:us-east-1:000000000000:query-result:*","kmsKeyId":"k"}`, "ValidationException", "does not emulate a resourceIdentifier of query results"},
		"name's letters":     {"CreateLogGroup", `{"logGroupName":"a b"}`, "InvalidParameterException", "regular expression pattern"},
		"name too long":      {"CreateLogGroup", fmt.Sprintf(`{"logGroupName":%q}`, strings.Repeat("x", 513)), "InvalidParameterException", "less than or equal to 512"},
		"no name":            {"CreateLogGroup", `{}`, "InvalidParameterException", "greater than or equal to 1"},
		"empty tag":          {"CreateLogGroup", `{"logGroupName":"x","tags":{"":"y"}}`, "InvalidParameterException", "tag key"},
		"stream's letters":   {"CreateLogStream", `{"logGroupName":"g","logStreamName":"a:b"}`, "InvalidParameterException", "logStreamName"},
		"retention":          {"PutRetentionPolicy", `{"logGroupName":"g","retentionInDays":2}`, "InvalidParameterException", "retentionInDays"},
		"entity":             {"PutLogEvents", `{"logGroupName":"g","logStreamName":"s","entity":{}}`, "ValidationException", `does not emulate \"entity\"`},
		"linked accounts":    {"DescribeLogGroups", `{"includeLinkedAccounts":true}`, "ValidationException", "includeLinkedAccounts"},
		"prefix and pattern": {"DescribeLogGroups", `{"logGroupNamePrefix":"a","logGroupNamePattern":"b"}`, "InvalidParameterException", "mutually exclusive"},
		"prefix by time":     {"DescribeLogStreams", `{"logGroupName":"g","orderBy":"LastEventTime","logStreamNamePrefix":"x"}`, "InvalidParameterException", "LastEventTime"},
		"order":              {"DescribeLogStreams", `{"logGroupName":"g","orderBy":"Size"}`, "InvalidParameterException", "orderBy"},
		"operation":          {"PutMetricFilter", `{}`, "UnknownOperationException", "does not emulate Logs_20140328.PutMetricFilter"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, f.url, strings.NewReader(test.body))
			must(t, err)
			req.Header.Set("X-Amz-Target", logs.Target+"."+test.operation)
			res, err := http.DefaultClient.Do(req)
			must(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			must(t, err)
			if res.StatusCode != 400 || !strings.Contains(string(body), `"__type":"`+test.code+`"`) || !strings.Contains(string(body), test.text) {
				t.Errorf("got %d %s\nwant %s: %s", res.StatusCode, body, test.code, test.text)
			}
		})
	}
	if got := f.groups.Groups(); len(got) != 1 {
		t.Errorf("a refused request left %+v", got)
	}
}

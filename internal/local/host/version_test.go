package host_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/host"
)

var fn = host.Ref{Name: "fn"}

const fnARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"

func (s *stack) publish(t *testing.T) host.Function {
	t.Helper()
	f, err := s.PublishVersion(fn, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *stack) configure(t *testing.T, change func(*host.Config)) {
	t.Helper()
	if _, err := s.UpdateConfiguration(fn, "", func(c *host.Config) error { change(c); return nil }); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code, message string) {
	t.Helper()
	var refused *host.Error
	if !errors.As(err, &refused) || refused.Code != code || !strings.Contains(refused.Message, message) {
		t.Errorf("error %v, want %s with %q", err, code, message)
	}
}

// described is what the test function tells of where it runs.
type described struct {
	env map[string]string
	arn string
}

func (s *stack) describe(t *testing.T, ref string) (described, host.Result) {
	t.Helper()
	r, err := s.Invoke(t.Context(), ref, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Env []string
		ARN string
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("%v: %s", err, r.Payload)
	}
	d := described{map[string]string{}, got.ARN}
	for _, pair := range got.Env {
		name, value, _ := strings.Cut(pair, "=")
		d.env[name] = value
	}
	return d, r
}

// A version runs what was published, with its own number, whatever $LATEST became; an alias runs the version that it names.
func TestVersionsAndAliases(t *testing.T) {
	s := start(t, nil)
	c := config("describe")
	c.Environment["STATE"] = "old"
	s.create(t, c)
	one := s.publish(t)
	if one.Version != "1" || s.publish(t).Version != "1" {
		t.Errorf("published %s, and then not the same", one.Version)
	}
	s.configure(t, func(c *host.Config) { c.Environment["STATE"] = "new" })
	if two := s.publish(t); two.Version != "2" {
		t.Errorf("published %s", two.Version)
	}
	if _, err := s.CreateAlias(fn, host.Alias{Name: "live", FunctionVersion: "1"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ qualifier, version, state string }{
		{"", "$LATEST", "new"}, {":$LATEST", "$LATEST", "new"}, {":1", "1", "old"}, {":2", "2", "new"}, {":live", "1", "old"},
	} {
		d, r := s.describe(t, fnARN+test.qualifier)
		if d.env["STATE"] != test.state || d.env["AWS_LAMBDA_FUNCTION_VERSION"] != test.version || d.arn != fnARN+test.qualifier || r.ExecutedVersion != test.version {
			t.Errorf("%q: state %s, version %s, executed %s, ARN %s", test.qualifier, d.env["STATE"], d.env["AWS_LAMBDA_FUNCTION_VERSION"], r.ExecutedVersion, d.arn)
		}
		if line := "START RequestId: " + r.RequestID + " Version: " + test.version; !slices.Contains(s.logs.all(), line) {
			t.Errorf("%q: no line %q", test.qualifier, line)
		}
		if stream := d.env["AWS_LAMBDA_LOG_STREAM_NAME"]; !strings.Contains(stream, "["+test.version+"]") {
			t.Errorf("%q: log stream %s", test.qualifier, stream)
		}
	}

	_, err := s.Invoke(t.Context(), "fn:3", nil)
	wantCode(t, err, host.ResourceNotFound, "Function not found: "+fnARN+":3")
	_, err = s.UpdateConfiguration(host.Ref{Name: "fn", Qualifier: "1"}, "", func(*host.Config) error { return nil })
	wantCode(t, err, host.InvalidParameterValue, "Aliases and versions do not support this operation")
	wantCode(t, s.Delete(host.Ref{Name: "fn", Qualifier: "1"}), host.ResourceConflict, "aliases reference it: [live]")
	if err := s.DeleteAlias(fn, "live"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(host.Ref{Name: "fn", Qualifier: "1"}); err != nil {
		t.Error(err)
	}
	_, err = s.Invoke(t.Context(), "fn:live", nil)
	wantCode(t, err, host.ResourceNotFound, "Function not found: "+fnARN+":live")
	s.configure(t, func(c *host.Config) { c.Environment["STATE"] = "newer" })
	if three := s.publish(t); three.Version != "3" {
		t.Errorf("a number is used again: %s", three.Version)
	}
	versions, err := s.Versions(fn)
	var numbers []string
	for _, v := range versions {
		numbers = append(numbers, v.Version)
	}
	if diff := cmp.Diff([]string{"$LATEST", "2", "3"}, numbers); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAliasWeights(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("describe"))
	s.publish(t)
	s.configure(t, func(c *host.Config) { c.Description = "second" })
	s.publish(t)
	alias := func(weights map[string]float64) error {
		_, err := s.UpdateAlias(fn, "live", "", func(a *host.Alias) { a.Weights = weights })
		return err
	}
	if _, err := s.CreateAlias(fn, host.Alias{Name: "live", FunctionVersion: "1"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		weight float64
		want   string
	}{{0, "1"}, {1, "2"}} {
		if err := alias(map[string]float64{"2": test.weight}); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, r := s.describe(t, "fn:live"); r.ExecutedVersion != test.want {
				t.Errorf("weight %v: version %s ran", test.weight, r.ExecutedVersion)
			}
		}
	}
	wantCode(t, alias(map[string]float64{"1": 0.5}), host.InvalidParameterValue, "already included")
	wantCode(t, alias(map[string]float64{"$LATEST": 0.5}), host.InvalidParameterValue, "$LATEST is not supported")
	wantCode(t, alias(map[string]float64{"7": 0.5}), host.ResourceNotFound, fnARN+":7")
	_, err := s.UpdateAlias(fn, "live", "old", func(*host.Alias) {})
	wantCode(t, err, host.PreconditionFailed, "Revision Id")
	_, err = s.CreateAlias(fn, host.Alias{Name: "live", FunctionVersion: "1"})
	wantCode(t, err, host.ResourceConflict, "Alias already exists: "+fnARN+":live")
}

// What belongs to a function outlives the process, and layers that were deleted do, as long as a function has them.
func TestRestoredVersions(t *testing.T) {
	l := newLedger()
	s := restored(t, l)
	v, err := s.PublishLayerVersion(host.LayerVersion{Layer: "tools"}, pack(t, file{"bin/tool", 0o755, []byte("tool")}))
	if err != nil {
		t.Fatal(err)
	}
	c := config("describe")
	if c.Layers, err = s.Layers([]string{v.ARN}); err != nil {
		t.Fatal(err)
	}
	s.create(t, c)
	s.publish(t)
	if _, err := s.CreateAlias(fn, host.Alias{Name: "live", FunctionVersion: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Reserve(fn, 7); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetAsync(fn, true, func(c *host.AsyncConfig) error { c.OnFailure = "arn"; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Provision(host.Ref{Name: "fn", Qualifier: "live"}, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteLayerVersion("tools", 1); err != nil {
		t.Fatal(err)
	}

	again := restored(t, l)
	if _, r := again.describe(t, "fn:live"); r.ExecutedVersion != "1" {
		t.Errorf("version %s ran", r.ExecutedVersion)
	}
	if again.publish(t).Version != "1" {
		t.Error("it was published again unchanged")
	}
	if n, err := again.Reserved(fn); err != nil || n == nil || *n != 7 {
		t.Error(n, err)
	}
	if c, err := again.Async(fn); err != nil || c.OnFailure != "arn" {
		t.Error(c, err)
	}
	if p, err := again.Provisioned(host.Ref{Name: "fn", Qualifier: "live"}); err != nil || p.Requested != 2 {
		t.Error(p, err)
	}
	checkTool(t, again, "fn:live", "tool")
	next, err := again.PublishLayerVersion(host.LayerVersion{Layer: "tools"}, pack(t, file{"x", 0o644, nil}))
	if err != nil || next.Version != 2 {
		t.Errorf("a number is used again: %d %v", next.Version, err)
	}
}

func TestTracingMarksTheHeaderAlone(t *testing.T) {
	s := start(t, nil)
	c := config("describe")
	c.Tracing = "Active"
	s.create(t, c)
	d, _ := s.describe(t, "fn")
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$`).MatchString(d.env["_X_AMZN_TRACE_ID"]) {
		t.Error(d.env["_X_AMZN_TRACE_ID"])
	}
}

func TestExtensionEventsAreRefused(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("extension"))
	s.invoke(t, `1`)
	want := `register 403 {"errorMessage":"streamgen local does not emulate events for extensions","errorType":"Extension.InvalidEventType"}`
	if !slices.Contains(s.logs.all(), want) {
		t.Errorf("%q", s.logs.all())
	}
}

func TestAnswerWithoutAContentType(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("untyped"))
	if r := s.invoke(t, `1`); string(r.Payload) != `"untyped"` || r.FunctionError != "" {
		t.Errorf("%+v", r)
	}
}

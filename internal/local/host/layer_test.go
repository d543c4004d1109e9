package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"streamgen/internal/local/host"
)

// checkTool looks for a layer's file where a process finds it: the last folder of its PATH.
func checkTool(t *testing.T, s *stack, ref, want string) {
	t.Helper()
	d, _ := s.describe(t, ref)
	folders := filepath.SplitList(d.env["PATH"])
	bin := folders[len(folders)-1]
	if got, err := os.ReadFile(filepath.Join(bin, "tool")); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v; want %q", bin, got, err, want)
	}
	libraries := filepath.SplitList(d.env["LD_LIBRARY_PATH"])
	if lib := libraries[len(libraries)-1]; lib != filepath.Join(filepath.Dir(bin), "lib") {
		t.Errorf("LD_LIBRARY_PATH ends with %s", lib)
	}
}

func TestLayers(t *testing.T) {
	s := start(t, nil)
	var arns []string
	for name, text := range map[string]string{"a": "from a", "b": "from b"} {
		if _, err := s.PublishLayerVersion(host.LayerVersion{Layer: name}, pack(t, file{"bin/tool", 0o755, []byte(text)}, file{"lib/" + name, 0o644, nil})); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range s.LatestLayers() {
		arns = append(arns, l.ARN)
	}
	c := config("describe")
	var err error
	if c.Layers, err = s.Layers(arns); err != nil {
		t.Fatal(err)
	}
	s.create(t, c)
	checkTool(t, s, "fn", "from b")
	s.publish(t)
	turned, err := s.Layers([]string{arns[1], arns[0]})
	if err != nil {
		t.Fatal(err)
	}
	s.configure(t, func(c *host.Config) { c.Layers = turned })
	checkTool(t, s, "fn", "from a")
	checkTool(t, s, "fn:1", "from b")

	// A function keeps a layer that is deleted, and no other gets it.
	for _, name := range []string{"a", "b"} {
		if err := s.DeleteLayerVersion(name, 1); err != nil {
			t.Fatal(err)
		}
	}
	s.configure(t, func(c *host.Config) { c.Description = "changed" })
	checkTool(t, s, "fn", "from a")
	_, err = s.Layers(arns)
	wantCode(t, err, host.InvalidParameterValue, "does not exist")
	_, err = s.Layers([]string{"arn:aws:lambda:us-east-1:123456789012:layer:otel:3"})
	wantCode(t, err, host.InvalidParameterValue, "does not emulate layers of other accounts")
	_, err = s.LayerVersion("a", 1)
	wantCode(t, err, host.ResourceNotFound, "does not exist")
}

// What a function's zip may not hold, a layer's may not either.
func TestLayersThatAreRefused(t *testing.T) {
	s := start(t, nil)
	for name, entry := range map[string]file{
		"outside": {"../x", 0o644, nil},
		"link":    {"x", os.ModeSymlink | 0o777, []byte("/etc/passwd")},
		"setuid":  {"x", os.ModeSetuid | 0o755, nil},
	} {
		_, err := s.PublishLayerVersion(host.LayerVersion{Layer: name}, pack(t, entry))
		wantCode(t, err, host.InvalidParameterValue, "The package's entry")
	}
	_, err := s.PublishLayerVersion(host.LayerVersion{Layer: "bad name"}, pack(t))
	wantCode(t, err, host.InvalidParameterValue, "neither a layer's name")
	if left := s.LatestLayers(); len(left) > 0 {
		t.Error(left)
	}
}

package pack

import (
	"archive/zip"
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// project is a small module with two handlers that share a package; handler a embeds a file.
var project = map[string]string{
	"go.mod":                        "module tiny\n\ngo 1.26\n\nrequire local v0.0.0\n\nreplace local => ./local\n",
	"local/go.mod":                  "module local\n\ngo 1.26\n",
	"local/local.go":                "package local\n\nconst Word = \"local\"\n",
	"shared/shared.go":              "package shared\n\nimport \"local\"\n\nconst Word = local.Word + \" shared\"\n",
	"handlers/a/handler.go":         "package a\n\nimport (\n\t_ \"embed\"\n\t\"tiny/shared\"\n)\n\n//go:embed text.txt\nvar Text string\n\nfunc Handle() string { return shared.Word + Text }\n",
	"handlers/a/text.txt":           "embedded",
	"handlers/b/handler.go":         "package b\n\nfunc Handle() string { return \"b\" }\n",
	"generated/functions/a/main.go": "package main\n\nimport \"tiny/handlers/a\"\n\nfunc main() { println(a.Handle()) }\n",
	"generated/functions/b/main.go": "package main\n\nimport \"tiny/handlers/b\"\n\nfunc main() { println(b.Handle()) }\n",
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newProject writes the project into a folder of its own and gives the options to build it.
func newProject(t *testing.T) Options {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skipf("Lambda does not run %s", runtime.GOARCH)
	}
	dir := t.TempDir()
	for name, text := range project {
		write(t, dir, name, text)
	}
	return Options{
		ProjectDir: dir,
		Handlers:   []Handler{{"a", "generated/functions/a"}, {"b", "generated/functions/b"}},
		GOOS:       "linux",
		GOARCH:     runtime.GOARCH,
		OutDir:     filepath.Join(dir, ".gen/packages", runtime.GOARCH),
		CacheDir:   filepath.Join(dir, ".gen/cache"),
	}
}

func mustBuild(t *testing.T, o Options) []Package {
	t.Helper()
	result, err := Build(t.Context(), o)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return result.Packages
}

func sums(packages []Package) (sums []string) {
	for _, p := range packages {
		sums = append(sums, p.SHA256)
	}
	return sums
}

func rebuilt(packages []Package) (names []string) {
	for _, p := range packages {
		if p.Rebuilt {
			names = append(names, p.Name)
		}
	}
	return names
}

func TestEqualSourcesGiveEqualBytes(t *testing.T) {
	t.Parallel()
	one, two := newProject(t), newProject(t)
	two.Parallel = 1
	// What a developer may have set must not show in the bytes.
	two.Env = append(os.Environ(), "GOFLAGS=-tags=other -race", "GOAMD64=v3", "GOARM64=v9.0", "CGO_ENABLED=1",
		"GOOS=windows", "GOEXPERIMENT=fieldtrack", "GOWORK=/nowhere/go.work", "GO111MODULE=off")
	if err := os.MkdirAll(filepath.Join(two.ProjectDir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	first, second := mustBuild(t, one), mustBuild(t, two)
	if !slices.Equal(sums(first), sums(second)) {
		t.Errorf("two folders give %v and %v", sums(first), sums(second))
	}
	if first[0].SHA256 == first[1].SHA256 {
		t.Error("two handlers give the same package")
	}
}

func TestPackageIsWhatLambdaTakes(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	p := mustBuild(t, o)[0]
	r, err := zip.OpenReader(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode() != 0o755 {
		t.Fatalf("the zip holds %v, want one bootstrap with mode 0755", r.File[0].FileHeader)
	}
	if got := r.File[0].Modified.UTC(); !got.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the file's time is %v", got)
	}
	f, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := elf.NewFile(strings.NewReader(string(data)))
	if err != nil {
		t.Fatalf("bootstrap is no ELF file: %v", err)
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[o.GOARCH]
	if binary.Machine != want {
		t.Errorf("bootstrap is for %v, want %v", binary.Machine, want)
	}
	if strings.Contains(string(data), o.ProjectDir) {
		t.Error("bootstrap holds the path of the project")
	}
}

func TestOnlyWhatChangedIsRebuilt(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	before := mustBuild(t, o)
	if got := rebuilt(before); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("the first run built %v", got)
	}
	steps := []struct {
		name, file, text string
		want             []string
	}{
		{"nothing", "", "", nil},
		{"a file that no handler uses", "other/other.go", "package other\n", nil},
		{"a test file", "handlers/a/handler_test.go", "package a\n", nil},
		{"a file built elsewhere", "handlers/a/handler_windows.go", "package a\n", nil},
		{"a package that a imports", "shared/shared.go", "package shared\n\nconst Word = \"new\"\n", []string{"a"}},
		{"a new file in a package", "handlers/b/more.go", "package b\n\nfunc init() { println(1) }\n", []string{"b"}},
		{"an embedded file", "handlers/a/text.txt", "other text", []string{"a"}},
		{"go.mod", "go.mod", strings.Replace(project["go.mod"], "go 1.26\n", "go 1.26\n\n// why\n", 1), []string{"a", "b"}},
		{"a replaced module in use", "shared/shared.go", project["shared/shared.go"], []string{"a"}},
		{"a file of the replaced module", "local/local.go", "package local\n\nconst Word = \"changed\"\n", []string{"a"}},
		{"a comment", "handlers/b/handler.go", "// Package b.\n" + project["handlers/b/handler.go"], []string{"b"}},
	}
	for _, step := range steps {
		if step.file != "" {
			write(t, o.ProjectDir, step.file, step.text)
		}
		after := mustBuild(t, o)
		if got := rebuilt(after); !slices.Equal(got, step.want) {
			t.Errorf("after a change of %s: built %v, want %v", step.name, got, step.want)
		}
	}
}

func TestZipThatIsNotOursIsRebuilt(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	o.Handlers = o.Handlers[1:]
	p := mustBuild(t, o)[0]
	for name, spoil := range map[string]func() error{
		"removed":     func() error { return os.Remove(p.Path) },
		"overwritten": func() error { return os.WriteFile(p.Path, []byte("partial"), 0o644) },
		"forgotten":   func() error { return os.RemoveAll(o.CacheDir) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		again := mustBuild(t, o)[0]
		if !again.Rebuilt || again.SHA256 != p.SHA256 {
			t.Errorf("%s: %+v, want a rebuild with digest %s", name, again, p.SHA256)
		}
	}
}

// TestNow: a package's digest is of what lies there now, and is not found anew while nobody touches the zip.
func TestNow(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	o.Handlers = o.Handlers[1:]
	mustBuild(t, o)
	p := mustBuild(t, o)[0]
	if got, err := p.Now(); got != p.SHA256 || err != nil {
		t.Fatalf("untouched: %s, %v; want %s", got, err, p.SHA256)
	}
	known := p
	known.SHA256 = "known"
	if got, err := known.Now(); got != "known" || err != nil {
		t.Errorf("untouched, it was read again: %s, %v", got, err)
	}
	if err := os.WriteFile(p.Path, make([]byte, p.Size), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(p.Path, time.Time{}, p.modified.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := known.Now(); got == "known" || got == p.SHA256 || len(got) != 64 || err != nil {
		t.Errorf("overwritten: %s, %v", got, err)
	}
	if err := os.Remove(p.Path); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Now(); got != "" || err != nil {
		t.Errorf("removed: %s, %v", got, err)
	}
}

func TestEqualZipIsNotTouched(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	o.Handlers = o.Handlers[1:]
	p := mustBuild(t, o)[0]
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(p.Path, old, old); err != nil {
		t.Fatal(err)
	}
	write(t, o.ProjectDir, "go.sum", "\n") // changes the key and not the bytes
	if again := mustBuild(t, o)[0]; !again.Rebuilt {
		t.Error("a changed go.sum does not rebuild")
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !info.ModTime().Equal(old) {
		t.Errorf("the zip was rewritten with the same bytes")
	}
	left, err := os.ReadDir(o.OutDir)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder of packages holds %v (%v), want one zip", left, err)
	}
}

func TestCompileErrorsOfAllHandlers(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	mustBuild(t, o)
	good, err := os.ReadFile(filepath.Join(o.OutDir, "a.zip"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, o.ProjectDir, "handlers/a/handler.go", "package a\n\nfunc Handle() string { return missing }\n")
	write(t, o.ProjectDir, "handlers/b/handler.go", "package b\n\nimport \"nowhere.invalid/x\"\n\nfunc Handle() string { return x.Y }\n")
	_, err = Build(t.Context(), o)
	var compile *CompileError
	if !errors.As(err, &compile) || len(compile.Failures) != 2 {
		t.Fatalf("Build gives %v, want a CompileError of two handlers", err)
	}
	for _, want := range []string{"a, b does not compile", "handlers/a/handler.go:3:31: undefined: missing", "handlers/b/handler.go:3:8: "} {
		if !strings.Contains(filepath.ToSlash(err.Error()), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if now, err := os.ReadFile(filepath.Join(o.OutDir, "a.zip")); err != nil || string(now) != string(good) {
		t.Error("a failed build changed the zip that was there")
	}
}

func TestSharedBlockIsPrintedOnce(t *testing.T) {
	err := &CompileError{Failures: []Failure{
		{"a", "# tiny/shared\nshared/shared.go:3:1: oops\n"},
		{"b", "# tiny/shared\nshared/shared.go:3:1: oops\n# tiny/b\nb.go:1:1: more\n"},
	}}
	if got, want := err.Error(), "a, b does not compile:\nshared/shared.go:3:1: oops\nb.go:1:1: more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCancelEndsTheGoCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for go is a shell script")
	}
	o := newProject(t)
	mustBuild(t, o)
	bin := t.TempDir()
	// A go command that never ends and starts a child that never ends either.
	script := "#!/bin/sh\ncase \"$1\" in\nenv) echo '{\"GOVERSION\":\"go0\"}';;\n*) sleep 600 & echo $! >>" + bin + "/pids; wait;;\nesac\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { _, err := Build(ctx, o); done <- err }()
	pid := waitForText(t, filepath.Join(bin, "pids"))
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Build gives %v, want context.Canceled", err)
	}
	waitForEnd(t, pid)
}

// waitForText polls until the file has a line.
func waitForText(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(data), "\n") {
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("%s was not written", path)
	return ""
}

func TestNoGo(t *testing.T) {
	o := newProject(t)
	t.Setenv("PATH", t.TempDir())
	_, err := Build(t.Context(), o)
	var noGo *NoGoError
	if !errors.As(err, &noGo) || !strings.Contains(err.Error(), "https://go.dev/dl") {
		t.Errorf("Build gives %v, want a NoGoError that says where Go is", err)
	}
}

func TestRefusedOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"architecture":       func(o *Options) { o.GOARCH = "riscv64" },
		"system":             func(o *Options) { o.GOOS = "plan9" },
		"name with a folder": func(o *Options) { o.Handlers[0].Name = "../a" },
		"folder outside":     func(o *Options) { o.Handlers[0].Dir = "../a" },
		"name twice":         func(o *Options) { o.Handlers[1].Name = "a" },
		"not a main package": func(o *Options) { o.Handlers[0].Dir = "handlers/a" },
	} {
		o := newProject(t)
		o.Handlers = slices.Clone(o.Handlers)
		change(&o)
		if _, err := Build(t.Context(), o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestProgressAndTimes(t *testing.T) {
	t.Parallel()
	o := newProject(t)
	var built, current atomic.Int32
	o.Progress = func(e Event) {
		switch e.State {
		case Built:
			built.Add(1)
		case Current:
			current.Add(1)
		}
	}
	result, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if result.Go <= 0 || result.Packages[0].Compile <= 0 || result.Packages[0].Compile > result.Go {
		t.Errorf("go ran for %v, handler a for %v", result.Go, result.Packages[0].Compile)
	}
	mustBuild(t, o)
	if built.Load() != 2 || current.Load() != 2 {
		t.Errorf("told of %d built and %d current, want 2 and 2", built.Load(), current.Load())
	}
}

func TestSizeLimits(t *testing.T) {
	if err := checkSize("zipped", zippedLimit, zippedLimit); err != nil {
		t.Errorf("the limit itself: %v", err)
	}
	err := checkSize("zipped", zippedLimit+1, zippedLimit)
	if err == nil || !strings.Contains(err.Error(), "at most 50 MB") {
		t.Errorf("a byte over the limit: %v", err)
	}
	// A sparse file has the size without the bytes.
	huge := filepath.Join(t.TempDir(), "bootstrap")
	f, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(unzippedLimit+1), f.Close()); err != nil {
		t.Fatal(err)
	}
	var size *SizeError
	if err := writeZip(io.Discard, huge); !errors.As(err, &size) || size.What != "unzipped" {
		t.Errorf("a binary of %d bytes: %v", unzippedLimit+1, err)
	}
}

func TestStopwatchCountsOverlapOnce(t *testing.T) {
	s := &stopwatch{}
	a, b := s.start(), s.start()
	a()
	if s.total() != 0 {
		t.Error("counted while an activity runs")
	}
	b()
	if s.total() <= 0 {
		t.Error("counted nothing")
	}
}

func TestSweepKeepsWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	b := &builder{Options: Options{CacheDir: dir, OutDir: dir}}
	for _, name := range []string{"build-old", ".a.zip-old", "build-new", "a.zip"} {
		write(t, dir, name, "")
	}
	past := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{"build-old", ".a.zip-old", "a.zip"} {
		if err := os.Chtimes(filepath.Join(dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	b.sweep()
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"a.zip", "build-new"}; !slices.Equal(left, want) {
		t.Errorf("left %v, want %v", left, want)
	}
}

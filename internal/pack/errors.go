package pack

import (
	"errors"
	"fmt"
	"strings"
)

// CompileError says why handlers do not compile, in the compiler's own words.
type CompileError struct {
	Failures []Failure
}

// Failure is what the go command said of one handler: file:line:column: message per line, files
// relative to the project.
type Failure struct {
	Handler string
	Output  string
}

// Error names the handlers and gives the compiler's lines, those of a package that several
// handlers share once.
func (e *CompileError) Error() string {
	var names, blocks []string
	seen := map[string]bool{}
	for _, f := range e.Failures {
		names = append(names, f.Handler)
		for _, block := range packageBlocks(f.Output) {
			if !seen[block] {
				seen[block] = true
				blocks = append(blocks, block)
			}
		}
	}
	return fmt.Sprintf("%s does not compile:\n%s", strings.Join(names, ", "), strings.Join(blocks, "\n"))
}

// packageBlocks splits the go command's output at the lines "# import/path" with which the output
// for a package begins, and drops those lines: each line below has its file.
func packageBlocks(output string) []string {
	var blocks []string
	var block []string
	flush := func() {
		if text := strings.TrimSpace(strings.Join(block, "\n")); text != "" {
			blocks = append(blocks, text)
		}
		block = nil
	}
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "# ") {
			flush()
			continue
		}
		block = append(block, line)
	}
	flush()
	return blocks
}

// join makes one *CompileError of all that do not compile, beside whatever else went wrong.
func join(failures []error) error {
	compile := &CompileError{}
	var others []error
	for _, err := range failures {
		if c := (*CompileError)(nil); errors.As(err, &c) {
			compile.Failures = append(compile.Failures, c.Failures...)
		} else if err != nil {
			others = append(others, err)
		}
	}
	if len(compile.Failures) > 0 {
		others = append([]error{compile}, others...)
	}
	return errors.Join(others...)
}

// NoGoError says that the go command is not there.
type NoGoError struct{ Err error }

// Error says the way out.
func (e *NoGoError) Error() string {
	return "cannot compile handlers: no go command on the PATH; install Go from https://go.dev/dl and try again"
}

// Unwrap gives the reason of the search.
func (e *NoGoError) Unwrap() error { return e.Err }

// SizeError says that a package is larger than Lambda takes:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
type SizeError struct {
	// What is "zipped" or "unzipped"; Size and Limit are bytes.
	What        string
	Size, Limit int64
}

// Error names the limit.
func (e *SizeError) Error() string {
	return fmt.Sprintf("the package has %.1f MB %s and Lambda takes at most %d MB; import less, or move data out of the binary",
		float64(e.Size)/(1<<20), e.What, e.Limit>>20)
}

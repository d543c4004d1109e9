package tree

import (
	"io"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// Diff writes what [Write] would change as a unified diff: the same for the same changes, and nothing for none. It leaves
// out gen.lock, which only repeats it.
func (c Changes) Diff(w io.Writer) error {
	for _, f := range c.Of(Create, Update, Remove, Edited) {
		d := difflib.UnifiedDiff{
			A: lines(f.Old), FromFile: "a/" + f.Path,
			B: lines(f.New), ToFile: "b/" + f.Path,
			Context: 3,
		}
		if f.Old == nil {
			d.FromFile = "/dev/null"
		}
		if f.New == nil {
			d.ToFile = "/dev/null"
		}
		if err := difflib.WriteUnifiedDiff(w, d); err != nil {
			return err
		}
	}
	return nil
}

func lines(data []byte) []string {
	all := strings.SplitAfter(string(data), "\n")
	last := len(all) - 1
	if all[last] == "" {
		return all[:last]
	}
	all[last] += "\n\\ No newline at end of file\n"
	return all
}

package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

func TestFormatHCL(t *testing.T) {
	for name, src := range map[string]string{
		"blocks":       "a \"x\" {\nb = 1\nlonger = 2\n\nc {\nd = [1]\n}\n}\n",
		"lists":        "a = [\n1,\n{\nb = 1\nccc = 2\n},\n]\nb = 1\n",
		"multi-line":   "a = 1\nbbb = {\nx = 1\n}\ncc = 2\n",
		"two brackets": "a = f([\n1,\n])\nb = f({ x = 1,\n}, [\n2])\n",
		"comparisons":  "a = b == c\nddd = b >= c ? 1 : 2\n",
		"arrows":       "a = { for k, v in x : k => v }\nbbb = 1\n",
		"strings":      "a = \"{ [ = \\\" # ${f(\"}\")} $${ %%{ $\"\nbbb = 1\n",
		"nested":       "a = \"${\"${x}\"}\"\nbbb = \"%{ if a }{%{ endif }\"\n",
		"comments":     "# a = {\na = 1\n# b\nbbb = 2\n",
		"no end":       "a = 1",
		"unicode":      "ä = \"ö\"\nbbb = 1\n",
		"heredoc":      "a = <<EOT\n  x = {\nEOT\nbbb = 1\n",
		"comment":      "a = 1 # x\nbbb = 2 // y\n",
		"division":     "a = 1 / 2\n",
		"keys":         "a = {\n\"k = {\" = 1\n(x.y) = 2\n}\n",
		"empty":        "",
		"blank":        "\n\n  \na = 1\n   \n",
	} {
		got, want := string(formatHCL([]byte(src))), string(hclwrite.Format([]byte(src)))
		if strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("%s:\n%s", name, cmp.Diff(want, got))
		}
	}
}

// FuzzFormatHCL holds the formatter to the library: lines that lost their indentation get it back.
func FuzzFormatHCL(f *testing.F) {
	f.Add("a \"x\" {\nb = \"${f(\"}\")}\"\n\nc = [\n1]\n}\n")
	f.Fuzz(func(t *testing.T, src string) {
		if _, findings := hclsyntax.ParseConfig([]byte(src), "", hcl.InitialPos); findings.HasErrors() || !simple([]byte(src)) {
			return
		}
		want := string(hclwrite.Format([]byte(src)))
		var flat strings.Builder
		for l := range strings.Lines(want) {
			flat.WriteString(strings.TrimLeft(l, " "))
		}
		if got := string(formatHCL([]byte(flat.String()))); strings.TrimRight(got, " \n") != strings.TrimRight(want, " \n") {
			t.Errorf("%q: %s", src, cmp.Diff(want, got))
		}
	})
}

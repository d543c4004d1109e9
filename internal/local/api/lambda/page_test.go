package lambda_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each test that the page's tables of Lambda, of IAM and of threats name is there.
func TestPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/local.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, folder := range []string{".", "../..", "../../conformance", "../../conformance/semantics", "../../durable", "../../host", "../../wire"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	for name, least := range map[string]int{"Lambda": 20, "IAM": 12, "Security": 15} {
		t.Run(name, func(t *testing.T) {
			_, section, found := strings.Cut(string(page), "\n## "+name+"\n")
			section, _, _ = strings.Cut(section, "\n## ")
			if !found {
				t.Fatal("there is no such section")
			}
			rows := 0
			for line := range strings.Lines(section) {
				cells := strings.Split(line, " | ")
				if len(cells) != 3 || cells[2] == "test |\n" || strings.HasPrefix(line, "| ---") {
					continue
				}
				rows++
				names := regexp.MustCompile(`\bTest\w+`).FindAllString(cells[2], -1)
				if len(names) == 0 {
					t.Errorf("no test: %s", line)
				}
				for _, name := range names {
					if !strings.Contains(code.String(), "func "+name+"(t *testing.T)") {
						t.Errorf("there is no %s", name)
					}
				}
			}
			if rows < least {
				t.Errorf("only %d rows were found", rows)
			}
		})
	}
}

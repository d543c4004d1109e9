package logs

import "testing"

func TestFilterPattern(t *testing.T) {
	const line = `{"level":"INFO","msg":"record","eventName":"INSERT"}`
	for pattern, want := range map[string]bool{
		"":                           true,
		"  ":                         true,
		"INSERT":                     true,
		"insert":                     false,
		"INFO INSERT":                true,
		"INFO  REMOVE":               false,
		"?REMOVE ?INSERT":            true,
		"?REMOVE ?MODIFY":            false,
		"-REMOVE":                    true,
		"INFO -INSERT":               false,
		`"\"eventName\":\"INSERT\""`: true,
		`"\"eventName\":\"REMOVE\""`: false,
		`-"\"REMOVE\"" INFO`:         true,
		`?"\"REMOVE\"" ?INFO`:        true,
	} {
		matches, err := parseFilter(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		} else if got := matches(line); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
	for _, pattern := range []string{`{ $.a = 1 }`, `[a, b]`, `%x%`, `a.b`, `"open`, `""`, `"a"b`, `?`, `-`, `?a b`, `a ?b -c`} {
		if _, err := parseFilter(pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

func FuzzFilterPattern(f *testing.F) {
	f.Add(`?a ?"b c" -d`, "a b c")
	f.Fuzz(func(_ *testing.T, pattern, message string) {
		if matches, err := parseFilter(pattern); err == nil {
			matches(message)
		}
	})
}

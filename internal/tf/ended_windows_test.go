package tf

import "testing"

func waitForEnd(t *testing.T, _ string) { t.Log("not looking for processes on this system") }

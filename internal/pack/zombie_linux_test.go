package pack

import (
	"bytes"
	"fmt"
	"os"
)

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, found := bytes.Cut(stat, []byte(") "))
	return err == nil && found && bytes.HasPrefix(after, []byte("Z"))
}

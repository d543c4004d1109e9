package tf

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// processesIn are the processes of a program whose current folder is dir, as far as they may be seen. A plug-in that outlived its
// terraform stays there too, and does nothing; so does a shell.
func processesIn(dir, program string) []int {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
	var list []int
	for _, link := range links {
		process := filepath.Dir(link)
		exe, err := os.Readlink(filepath.Join(process, "exe"))
		if err != nil || filepath.Base(exe) != filepath.Base(program) {
			continue
		}
		if to, err := os.Readlink(link); err != nil || to != dir {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil {
			list = append(list, pid)
		}
	}
	slices.Sort(list)
	return list
}

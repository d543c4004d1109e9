package host_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"streamgen/internal/local/host"
)

func TestPackageCannotLeaveItsFolder(t *testing.T) {
	many := make([]file, host.MaxFiles+1)
	for i := range many {
		many[i] = file{name: "f" + string(rune('a'+i%26)) + "/" + strings.Repeat("x", i%50), mode: 0o644}
	}
	tests := []struct {
		name, want string
		files      []file
	}{
		{"parent", "not lie inside", []file{{"../evil", 0o644, nil}}},
		{"hidden parent", "not lie inside", []file{{"a/../../evil", 0o644, nil}}},
		{"absolute", "not lie inside", []file{{"/tmp/evil", 0o644, nil}}},
		{"backslash", "not lie inside", []file{{`..\evil`, 0o644, nil}}},
		{"zero byte", "not lie inside", []file{{"a\x00b", 0o644, nil}}},
		{"symlink", "neither a plain file", []file{{"link", fs.ModeSymlink | 0o777, []byte("/etc")}}},
		{"write through a symlink", "neither a plain file", []file{{"link", fs.ModeSymlink | 0o777, []byte("/tmp")}, {"link/evil", 0o644, nil}}},
		{"device", "neither a plain file", []file{{"dev", fs.ModeDevice | 0o644, nil}}},
		{"pipe", "neither a plain file", []file{{"pipe", fs.ModeNamedPipe | 0o644, nil}}},
		{"setuid", "neither a plain file", []file{{"su", fs.ModeSetuid | 0o755, nil}}},
		{"setgid folder", "neither a plain file", []file{{"d/", fs.ModeDir | fs.ModeSetgid | 0o755, nil}}},
		{"same name twice", "cannot be written", []file{{"a", 0o644, nil}, {"a", 0o644, nil}}},
		{"folder over file", "cannot be made", []file{{"a", 0o644, nil}, {"a/b", 0o644, nil}}},
		{"too many files", "over the limit", many},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, nil)
			refused(t, s, pack(t, test.files...), test.want)
		})
	}
	t.Run("no zip", func(t *testing.T) { refused(t, start(t, nil), []byte("PK no"), "Could not unzip") })
	t.Run("broken zip", func(t *testing.T) {
		zip := pack(t, file{"bootstrap", 0o755, []byte("contents")})
		refused(t, start(t, nil), bytes.Replace(zip, []byte("contents"), []byte("CONTENTS"), 1), "checksum")
	})
}

// refused checks that a package is refused and that nothing of it stays behind.
func refused(t *testing.T, s *stack, zip []byte, want string) {
	t.Helper()
	_, err := s.Create(config("ok"), nil, zip)
	if !hasCode(err, host.InvalidParameterValue) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want …%s…", err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if len(s.List()) > 0 {
		t.Error("the function is there all the same")
	}
}

func TestEntryThatCannotRun(t *testing.T) {
	other := elf.EM_AARCH64
	name := "arm64"
	if runtime.GOARCH == "arm64" {
		other, name = elf.EM_X86_64, "amd64"
	}
	tests := []struct {
		name string
		file file
		want string
	}{
		{"missing", file{"main", 0o755, []byte("#!/bin/sh\n")}, "the package has no bootstrap at its top"},
		{"not executable", file{"bootstrap", 0o644, []byte("#!/bin/sh\n")}, "bootstrap is not an executable file"},
		{"folder", file{"bootstrap/", fs.ModeDir | 0o755, nil}, "bootstrap is not an executable file"},
		{"text", file{"bootstrap", 0o755, []byte("hello")}, "bootstrap is no executable"},
		{"empty", file{"bootstrap", 0o755, nil}, "bootstrap is no executable"},
		{"other architecture", file{"bootstrap", 0o755, elfHeader(other)}, "bootstrap is built for " + name + ", but this machine is " + runtime.GOARCH},
		{"broken", file{"bootstrap", 0o755, []byte("#!/no/such/interpreter\n")}, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("other systems refuse every ELF file")
			}
			s := start(t, nil)
			if _, err := s.Create(config("ok"), nil, pack(t, test.file)); err != nil {
				t.Fatal(err)
			}
			r := s.invoke(t, `1`)
			if got := string(r.Payload); !strings.Contains(got, `"errorType":"Runtime.InvalidEntrypoint"`) || !strings.Contains(got, test.want) {
				t.Errorf("got %s, want …%s…", got, test.want)
			}
			if !strings.Contains(r.LogTail, test.want) {
				t.Errorf("not in the log: %s", r.LogTail)
			}
		})
	}
}

// elfHeader is the shortest ELF file of a machine.
func elfHeader(machine elf.Machine) []byte {
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56, Shentsize: 64,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, h) // a buffer takes all
	return b.Bytes()
}

func TestUnpackedTree(t *testing.T) {
	s := start(t, nil)
	zip := pack(t, file{"bootstrap", 0o755, bootstrap}, file{"conf/", fs.ModeDir | 0o755, nil}, file{"conf/a.json", 0o600, []byte("{}")}, file{"deep/er/b", 0o644, nil})
	if _, err := s.Create(config("ok"), nil, zip); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"bootstrap": 0o755, "conf/a.json": 0o644, "deep/er/b": 0o644} {
		found, _ := filepath.Glob(filepath.Join(s.dir, "*", "*", name))
		if len(found) != 1 {
			t.Fatalf("%s: found %v", name, found)
		}
		if info, err := os.Stat(found[0]); err != nil || info.Mode().Perm()&^0o022 != mode&^0o022 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

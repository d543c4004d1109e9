package host

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// entry is what Lambda starts in a package for the provided runtimes. It is unpacked as [entryFile].
const entry = "bootstrap"

// checkEntry says in clear words why the package in dir cannot be started on this machine.
func checkEntry(dir string) error {
	path := filepath.Join(dir, entryFile)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the package has no %s at its top", entry)
	}
	if err != nil {
		return fmt.Errorf("looking at %s: %w", entry, err)
	}
	if !info.Mode().IsRegular() || !executable(info) {
		return fmt.Errorf("%s is not an executable file (%v): set its executable bit in the zip", entry, info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", entry, err)
	}
	defer f.Close()
	return checkFormat(f, runtime.GOOS, runtime.GOARCH)
}

// checkFormat compares an executable with the machine that is to run it.
func checkFormat(f io.ReaderAt, goos, goarch string) error {
	format, arch, err := identify(f)
	if err != nil {
		return err
	}
	if format == "script" && goos != "windows" {
		return nil
	}
	if want := formatOf(goos); format != want {
		return fmt.Errorf("%s is of the %s format (%s), but this machine is %s/%s and runs %s: "+
			"build the package for this machine", entry, format, arch, goos, goarch, want)
	}
	if arch != goarch {
		return fmt.Errorf("%s is built for %s, but this machine is %s: build the package for this machine", entry, arch, goarch)
	}
	return nil
}

func formatOf(goos string) string {
	switch goos {
	case "darwin":
		return "Mach-O"
	case "windows":
		return "PE"
	default:
		return "ELF"
	}
}

// identify tells an executable's format and, in Go's names, its architecture.
func identify(f io.ReaderAt) (format, arch string, err error) {
	head := make([]byte, 4)
	if _, err := f.ReadAt(head, 0); err != nil {
		return "", "", fmt.Errorf("%s is no executable: it is shorter than four bytes", entry)
	}
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return "script", "", nil
	case bytes.Equal(head, []byte(elf.ELFMAG)):
		file, err := elf.NewFile(f)
		if err != nil {
			return "", "", fmt.Errorf("%s is a broken ELF file: %w", entry, err)
		}
		return "ELF", goarchOf(file.Machine, map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm"}), nil
	case bytes.Equal(head, []byte{0xcf, 0xfa, 0xed, 0xfe}):
		file, err := macho.NewFile(f)
		if err != nil {
			return "", "", fmt.Errorf("%s is a broken Mach-O file: %w", entry, err)
		}
		return "Mach-O", goarchOf(file.Cpu, map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}), nil
	case bytes.HasPrefix(head, []byte("MZ")):
		file, err := pe.NewFile(f)
		if err != nil {
			return "", "", fmt.Errorf("%s is a broken PE file: %w", entry, err)
		}
		return "PE", goarchOf(file.Machine, map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}), nil
	}
	return "", "", fmt.Errorf("%s is no executable: it is neither ELF, Mach-O, PE nor a script", entry)
}

func goarchOf[M comparable](machine M, names map[M]string) string {
	if name, known := names[machine]; known {
		return name
	}
	return fmt.Sprint(machine)
}

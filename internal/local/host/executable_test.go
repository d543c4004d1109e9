package host

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestCheckFormat(t *testing.T) {
	header := func(size int, set func(b []byte)) []byte {
		b := make([]byte, size)
		set(b)
		return b
	}
	elfOf := func(machine uint16) []byte {
		return header(64, func(b []byte) {
			copy(b, "\x7fELF\x02\x01\x01")
			binary.LittleEndian.PutUint16(b[16:], 2)
			binary.LittleEndian.PutUint16(b[18:], machine)
			binary.LittleEndian.PutUint32(b[20:], 1)
			binary.LittleEndian.PutUint16(b[52:], 64)
			binary.LittleEndian.PutUint16(b[58:], 64)
		})
	}
	machoOf := func(cpu uint32) []byte {
		return header(32, func(b []byte) {
			binary.LittleEndian.PutUint32(b, 0xfeedfacf)
			binary.LittleEndian.PutUint32(b[4:], cpu)
		})
	}
	peOf := func(machine uint16) []byte {
		return header(512, func(b []byte) {
			copy(b, "MZ")
			b[0x3c] = 0x80
			copy(b[0x80:], "PE\x00\x00")
			binary.LittleEndian.PutUint16(b[0x84:], machine)
		})
	}
	tests := []struct {
		name         string
		file         []byte
		goos, goarch string
		want         string // "" runs
	}{
		{"its own", elfOf(62), "linux", "amd64", ""},
		{"its own arm", elfOf(183), "linux", "arm64", ""},
		{"script", []byte("#!/bin/sh"), "darwin", "arm64", ""},
		{"script on windows", []byte("#!/bin/sh"), "windows", "amd64", "runs PE"},
		{"arm on amd64", elfOf(183), "linux", "amd64", "built for arm64, but this machine is amd64"},
		{"amd64 on arm", elfOf(62), "linux", "arm64", "built for amd64, but this machine is arm64"},
		{"unknown machine", elfOf(243), "linux", "amd64", "built for EM_RISCV, but this machine is amd64"},
		{"ELF on a Mac", elfOf(183), "darwin", "arm64", "of the ELF format (arm64), but this machine is darwin/arm64 and runs Mach-O"},
		{"Mach-O", machoOf(0x0100000c), "darwin", "arm64", ""},
		{"Mach-O of the other kind", machoOf(0x01000007), "darwin", "arm64", "built for amd64, but this machine is arm64"},
		{"Mach-O on linux", machoOf(0x01000007), "linux", "amd64", "of the Mach-O format"},
		{"PE", peOf(0x8664), "windows", "amd64", ""},
		{"PE on linux", peOf(0x8664), "linux", "amd64", "of the PE format (amd64)"},
		{"broken ELF", []byte("\x7fELF"), "linux", "amd64", "broken ELF"},
		{"broken PE", []byte("MZ12"), "windows", "amd64", "broken PE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := checkFormat(bytes.NewReader(test.file), test.goos, test.goarch)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want …%s…", err, test.want)
			}
		})
	}
}

func FuzzCheckFormat(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add([]byte("MZ"))
	f.Add([]byte{0xcf, 0xfa, 0xed, 0xfe})
	f.Fuzz(func(_ *testing.T, b []byte) { _ = checkFormat(bytes.NewReader(b), "linux", "amd64") })
}

package packages_test

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"testing"
)

// checkProgram checks that a file is a program for the system and the processor that its
// package is for, such as linux/amd64.
func checkProgram(t *testing.T, system string, program []byte) {
	t.Helper()
	if got, err := systemOf(program); got != system || err != nil {
		t.Errorf("the program of %s is for %q, %v", system, got, err)
	}
}

// systemOf returns the system and the processor that a program is for.
func systemOf(program []byte) (string, error) {
	r := bytes.NewReader(program)
	if f, err := elf.NewFile(r); err == nil {
		processors := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}
		return "linux/" + processors[f.Machine], nil
	}
	if f, err := macho.NewFile(r); err == nil {
		processors := map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}
		return "darwin/" + processors[f.Cpu], nil
	}
	f, err := pe.NewFile(r)
	if err != nil {
		return "", fmt.Errorf("no program in the format of Linux, macOS or Windows: %w", err)
	}
	processors := map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}
	return "windows/" + processors[f.Machine], nil
}

// leastMacOS returns the oldest version of macOS that a program says it runs on.
func leastMacOS(program []byte) (major, minor int, err error) {
	const buildVersion = 0x32 // LC_BUILD_VERSION, after which come a size, a platform and the version
	f, err := macho.NewFile(bytes.NewReader(program))
	if err != nil {
		return 0, 0, err
	}
	for _, load := range f.Loads {
		if raw := load.Raw(); len(raw) >= 16 && f.ByteOrder.Uint32(raw) == buildVersion {
			version := f.ByteOrder.Uint32(raw[12:])
			return int(version >> 16), int(version >> 8 & 0xff), nil
		}
	}
	return 0, 0, errors.New("the program doesn't say which macOS it needs")
}

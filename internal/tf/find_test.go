package tf

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// script is a terraform that knows its version and nothing else.
func script(version string) string {
	return "#!/bin/sh\necho '{\"terraform_version\":\"" + version + "\"}'\n"
}

// onPath makes a folder with a terraform the whole PATH; an empty version puts none there.
func onPath(t *testing.T, version string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for terraform is a shell script")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "terraform")
	if version != "" {
		if err := os.WriteFile(path, []byte(script(version)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return path
}

func TestFindGatesTheVersion(t *testing.T) {
	tests := []struct {
		version string
		ok      bool
	}{
		{"1.10.5", false}, {"1.11.0", true}, {"1.11.4", true}, {"1.15.0", true}, {"1.12.0-beta1", true}, {"2.0.0", false}, {"0.15.5", false},
	}
	for _, test := range tests {
		t.Run(test.version, func(t *testing.T) {
			path := onPath(t, test.version)
			b, err := Find(t.Context(), FindOptions{Path: path})
			if test.ok {
				if want := (Binary{Path: path, Version: test.version}); err != nil || b != want {
					t.Errorf("got %+v, %v; want %+v", b, err, want)
				}
				return
			}
			var unsuitable *VersionError
			if !errors.As(err, &unsuitable) || *unsuitable != (VersionError{Path: path, Have: test.version, Need: ">= 1.11.0, < 2.0.0"}) {
				t.Errorf("got %v, want a VersionError", err)
			}
		})
	}
}

func TestFindTakesTheOneOnThePath(t *testing.T) {
	path := onPath(t, "1.13.0")
	b, err := Find(t.Context(), FindOptions{InstallDir: t.TempDir(), source: release{url: "http://127.0.0.1:1"}})
	if err != nil || b.Path != path || b.Installed || b.Note != "" {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestFindRefusesWhatIsNotTerraform(t *testing.T) {
	path := onPath(t, "")
	if _, err := Find(t.Context(), FindOptions{Path: path}); err == nil {
		t.Error("a file that is not there is accepted")
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), FindOptions{Path: path}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// releaseServer serves one release of terraform as HashiCorp does, signed with a key of its own.
type releaseServer struct {
	release
	zip, sums, signature []byte
	requests             int
}

func newReleaseServer(t *testing.T) *releaseServer {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	f, err := w.Create("terraform")
	if err == nil {
		_, err = f.Write([]byte(script(InstallVersion)))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	s := &releaseServer{zip: archive.Bytes()}
	base := "terraform_" + InstallVersion
	zipName := fmt.Sprintf("%s_%s_%s.zip", base, runtime.GOOS, runtime.GOARCH)
	s.sums = fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(s.zip), zipName)

	entity, err := openpgp.NewEntity("test", "", "test@example.invalid", nil)
	if err != nil {
		t.Fatal(err)
	}
	var key, signature bytes.Buffer
	armored, err := armor.Encode(&key, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(entity.Serialize(armored), armored.Close(), openpgp.DetachSign(&signature, entity, bytes.NewReader(s.sums), nil)); err != nil {
		t.Fatal(err)
	}
	s.key, s.signature = key.String(), signature.Bytes()

	index, err := json.Marshal(map[string]any{
		"name": "terraform", "version": InstallVersion, "shasums": base + "_SHA256SUMS", "shasums_signature": base + "_SHA256SUMS.sig",
		"shasums_signatures": []string{base + "_SHA256SUMS.sig"},
		"builds": []map[string]string{{"name": "terraform", "version": InstallVersion, "os": runtime.GOOS, "arch": runtime.GOARCH, "filename": zipName,
			"url": "https://releases.hashicorp.com/terraform/" + InstallVersion + "/" + zipName}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests++
		name, ok := strings.CutPrefix(r.URL.Path, "/terraform/"+InstallVersion+"/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		switch name {
		case "index.json":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(index)
		case zipName:
			w.Header().Set("Content-Type", "application/zip")
			_, _ = w.Write(s.zip)
		case base + "_SHA256SUMS":
			_, _ = w.Write(s.sums)
		case base + "_SHA256SUMS.sig":
			_, _ = w.Write(s.signature)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func TestFindInstalls(t *testing.T) {
	path := onPath(t, "1.5.7")
	t.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
	s := newReleaseServer(t)
	var told []string
	o := FindOptions{InstallDir: filepath.Join(t.TempDir(), "terraform"), source: s.release, Progress: func(text string) { told = append(told, text) }}
	want := Binary{Path: filepath.Join(o.InstallDir, InstallVersion, "terraform"), Version: InstallVersion, Installed: true,
		Note: path + " is terraform 1.5.7, not >= 1.11.0, < 2.0.0: using " + InstallVersion + " of streamgen's own"}
	b, err := Find(t.Context(), o)
	if err != nil || b != want {
		t.Fatalf("got %+v, %v; want %+v", b, err, want)
	}
	if len(told) != 2 {
		t.Errorf("told %q", told)
	}
	requests := s.requests
	if b, err := Find(t.Context(), o); err != nil || b != want || s.requests != requests {
		t.Errorf("the second time: %+v, %v, %d requests", b, err, s.requests-requests)
	}
	if entries, err := os.ReadDir(o.InstallDir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func TestInstallIsVerified(t *testing.T) {
	tests := map[string]func(*releaseServer){
		"another archive":   func(s *releaseServer) { s.zip = append(slices.Clone(s.zip), 0) },
		"another digest":    func(s *releaseServer) { s.sums = bytes.ToUpper(s.sums) },
		"another signature": func(s *releaseServer) { s.key = newReleaseServer(t).key },
		"nothing there":     func(s *releaseServer) { s.url += "/elsewhere" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			onPath(t, "")
			s := newReleaseServer(t)
			spoil(s)
			o := FindOptions{InstallDir: t.TempDir(), source: s.release}
			_, err := Find(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), "install terraform >= 1.11.0, < 2.0.0 by hand") {
				t.Errorf("got %v, want a refusal that says the way out", err)
			}
			if entries, err := os.ReadDir(o.InstallDir); err != nil || len(entries) != 0 {
				t.Errorf("the folder holds %v (%v)", entries, err)
			}
		})
	}
}

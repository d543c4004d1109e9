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

// script is a program that knows its product and version, and nothing else.
func script(announcement string) string {
	return "#!/bin/sh\ncat <<'EOF'\n" + announcement + "\nEOF\n"
}

// onPath makes a folder with the programs the whole PATH, by name what they announce, and gives the folder.
func onPath(t *testing.T, programs map[string]string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for terraform is a shell script")
	}
	dir := t.TempDir()
	for name, announcement := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script(announcement)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The shell's own programs stand behind.
	t.Setenv("PATH", strings.Join([]string{dir, "/usr/bin", "/bin"}, string(os.PathListSeparator)))
	return dir
}

// What either product says on "version", and what may stand around it.
const (
	terraformSays = "Terraform v%s\non linux_amd64\n\nYour version of Terraform is out of date! The latest version\nis 1.15.2."
	openTofuSays  = "\nWarning: something\n\nOpenTofu v%s\non linux_amd64\n+ provider registry.opentofu.org/hashicorp/aws v6.34.0"
)

func TestFindGatesTheVersion(t *testing.T) {
	tests := []struct {
		product Product
		version string
		ok      bool
	}{
		{ProductTerraform, "1.10.5", false},
		{ProductTerraform, "1.11.0", true},
		{ProductTerraform, "1.11.4", true},
		{ProductTerraform, "1.15.0", true},
		{ProductTerraform, "1.12.0-beta1", true},
		{ProductTerraform, "2.0.0", false},
		{ProductTerraform, "0.15.5", false},
		{ProductOpenTofu, "1.6.2", false},
		{ProductOpenTofu, "1.10.10", false},
		{ProductOpenTofu, "1.11.0-rc1", true},
		{ProductOpenTofu, "1.11.5", true},
		{ProductOpenTofu, "1.12.6", true},
		{ProductOpenTofu, "1.13.0-dev", true},
		{ProductOpenTofu, "2.0.0", false},
	}
	for _, test := range tests {
		t.Run(string(test.product)+" "+test.version, func(t *testing.T) {
			says := terraformSays
			if test.product == ProductOpenTofu {
				says = openTofuSays
			}
			path := filepath.Join(onPath(t, map[string]string{"own": fmt.Sprintf(says, test.version)}), "own")
			for _, product := range []Product{"", test.product} {
				b, err := Find(t.Context(), FindOptions{Path: path, Product: product})
				if test.ok {
					if want := (Binary{Path: path, Product: test.product, Version: test.version}); err != nil || b != want {
						t.Errorf("got %+v, %v; want %+v", b, err, want)
					}
					continue
				}
				var unsuitable *VersionError
				if !errors.As(err, &unsuitable) || *unsuitable != (VersionError{Path: path, Product: test.product, Have: test.version, Need: ">= 1.11.0, < 2.0.0"}) {
					t.Errorf("got %v, want a VersionError", err)
				}
			}
		})
	}
}

func TestFindLooksOnThePath(t *testing.T) {
	terraform, tofu := fmt.Sprintf(terraformSays, "1.13.0"), fmt.Sprintf(openTofuSays, "1.12.1")
	for name, test := range map[string]struct {
		path    map[string]string
		options FindOptions
		want    string // the name of the program that is found
		product Product
		fails   string
	}{
		"terraform":                  {map[string]string{"terraform": terraform, "tofu": tofu}, FindOptions{}, "terraform", ProductTerraform, ""},
		"terraform by name":          {map[string]string{"terraform": terraform, "tofu": tofu}, FindOptions{Product: ProductTerraform}, "terraform", ProductTerraform, ""},
		"tofu":                       {map[string]string{"terraform": terraform, "tofu": tofu}, FindOptions{Product: ProductOpenTofu}, "tofu", ProductOpenTofu, ""},
		"the only version":           {map[string]string{"tofu": tofu}, FindOptions{Product: ProductOpenTofu, Version: "1.12.1"}, "tofu", ProductOpenTofu, ""},
		"another version":            {map[string]string{"tofu": tofu}, FindOptions{Product: ProductOpenTofu, Version: "1.12.2"}, "", "", "tofu is OpenTofu 1.12.1, and streamgen needs 1.12.2"},
		"an unsupported one only":    {map[string]string{"tofu": tofu}, FindOptions{Product: ProductOpenTofu, Version: "1.9.0"}, "", "", "asks for OpenTofu 1.9.0, and streamgen needs >= 1.11.0"},
		"no version at all":          {map[string]string{"tofu": tofu}, FindOptions{Product: ProductOpenTofu, Version: "latest"}, "", "", "finding OpenTofu latest"},
		"an old tofu":                {map[string]string{"tofu": "OpenTofu v1.6.0"}, FindOptions{Product: ProductOpenTofu}, "", "", "tofu is OpenTofu 1.6.0, and streamgen needs >= 1.11.0, < 2.0.0; install one of these versions"},
		"no tofu":                    {map[string]string{"terraform": terraform}, FindOptions{Product: ProductOpenTofu}, "", "", "there is no OpenTofu >= 1.11.0, < 2.0.0 on the PATH; install it (https://opentofu.org/docs/intro/install/)"},
		"OpenTofu as terraform":      {map[string]string{"terraform": tofu}, FindOptions{}, "", "", `terraform is OpenTofu, and the project is made for terraform; write "terraform: {binary: tofu}" in gen.yaml`},
		"terraform as tofu":          {map[string]string{"tofu": terraform}, FindOptions{Product: ProductOpenTofu}, "", "", `tofu is terraform, and the project is made for OpenTofu; write "terraform: {binary: terraform}" in gen.yaml`},
		"something else":             {map[string]string{"terraform": "hello"}, FindOptions{}, "", "", "neither terraform nor OpenTofu"},
		"a version that is no word":  {map[string]string{"terraform": "Terraform vX"}, FindOptions{}, "", "", "terraform for its version"},
		"terraform that is too old":  {map[string]string{"terraform": "Terraform v1.5.7"}, FindOptions{}, "", "", "no folder to install into is given"},
		"a terraform that is pinned": {map[string]string{"terraform": terraform}, FindOptions{Version: "1.12.0"}, "", "", "installing 1.12.0 failed; install terraform 1.12.0 by hand"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := onPath(t, test.path)
			b, err := Find(t.Context(), test.options)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got %+v, %v; want the error %q", b, err, test.fails)
				}
				return
			}
			if err != nil || b.Path != filepath.Join(dir, test.want) || b.Product != test.product || b.Installed || b.Note != "" {
				t.Errorf("got %+v, %v", b, err)
			}
		})
	}
}

// A caller can tell why nothing was found.
func TestFindErrorsAreTyped(t *testing.T) {
	dir := onPath(t, map[string]string{"terraform": fmt.Sprintf(openTofuSays, "1.12.1")})
	_, err := Find(t.Context(), FindOptions{})
	var other *ProductError
	if want := (ProductError{Path: filepath.Join(dir, "terraform"), Have: ProductOpenTofu, Want: ProductTerraform}); !errors.As(err, &other) || *other != want {
		t.Errorf("got %v", err)
	}
	_, err = Find(t.Context(), FindOptions{Product: ProductOpenTofu, InstallDir: t.TempDir()})
	if missing := (*MissingError)(nil); !errors.As(err, &missing) || missing.Need != ">= 1.11.0, < 2.0.0" {
		t.Errorf("got %v", err)
	}
}

func TestFindRefusesWhatCannotBeRun(t *testing.T) {
	dir := onPath(t, nil)
	if _, err := Find(t.Context(), FindOptions{Path: filepath.Join(dir, "nothing")}); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a file that is not there: %v", err)
	}
	path := filepath.Join(dir, "broken")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho 'no such state' >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), FindOptions{Path: path}); err == nil || !strings.Contains(err.Error(), "exit status 3: no such state") {
		t.Errorf("a program that fails: %v", err)
	}
}

// The OpenTofu that was built on this machine is used when the PATH has none that suits.
func TestFindTakesTheOpenTofuThatWasBuilt(t *testing.T) {
	old := filepath.Join(onPath(t, map[string]string{"tofu": "OpenTofu v1.6.0"}), "tofu")
	installDir := t.TempDir()
	own := InstallPath(installDir, ProductOpenTofu, OpenTofuVersion)
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte(script("OpenTofu v"+OpenTofuVersion)), 0o755); err != nil {
		t.Fatal(err)
	}
	want := Binary{Path: own, Product: ProductOpenTofu, Version: OpenTofuVersion, Installed: true,
		Note: old + " is OpenTofu 1.6.0, not >= 1.11.0, < 2.0.0: using " + OpenTofuVersion + " of streamgen's own"}
	if b, err := Find(t.Context(), FindOptions{Product: ProductOpenTofu, InstallDir: installDir}); err != nil || b != want {
		t.Errorf("got %+v, %v; want %+v", b, err, want)
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
		_, err = f.Write([]byte(script("Terraform v" + InstallVersion)))
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
	path := filepath.Join(onPath(t, map[string]string{"terraform": "Terraform v1.5.7"}), "terraform")
	s := newReleaseServer(t)
	var told []string
	o := FindOptions{InstallDir: filepath.Join(t.TempDir(), "streamgen"), source: s.release, Progress: func(text string) { told = append(told, text) }}
	want := Binary{Path: filepath.Join(o.InstallDir, "terraform", InstallVersion, "terraform"), Product: ProductTerraform, Version: InstallVersion, Installed: true,
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
	if entries, err := os.ReadDir(filepath.Join(o.InstallDir, "terraform")); err != nil || len(entries) != 1 {
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
			onPath(t, nil)
			s := newReleaseServer(t)
			spoil(s)
			o := FindOptions{InstallDir: t.TempDir(), source: s.release}
			_, err := Find(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), "install terraform >= 1.11.0, < 2.0.0 by hand") {
				t.Errorf("got %v, want a refusal that says the way out", err)
			}
			if entries, err := os.ReadDir(filepath.Join(o.InstallDir, "terraform")); err != nil || len(entries) != 0 {
				t.Errorf("the folder holds %v (%v)", entries, err)
			}
		})
	}
}

package pack

import (
	"slices"
	"testing"
)

func TestBuildEnvironment(t *testing.T) {
	base := []string{"PATH=/bin", "HOME=/home/me", "GOFLAGS=-race", "GOOS=plan9", "GOPROXY=https://other.invalid", "GOROOT=/old",
		"GOENV=/home/me/goenv", "GOEXPERIMENT=x", "CGO_ENABLED=1", "CGO_CFLAGS=-O3", "GOGC=400", "GOMAXPROCS=1", "GO111MODULE=off",
		"GOOGLE_APPLICATION_CREDENTIALS=/home/me/key.json"}
	settings := map[string]string{"GOVERSION": "go1.26.0", "GOPROXY": "https://proxy.invalid", "GOMODCACHE": "/mod", "GOPRIVATE": ""}
	got := buildEnvironment(base, settings, "off", "linux", "arm64")
	want := []string{"PATH=/bin", "HOME=/home/me", "GOGC=400", "GOMAXPROCS=1", "GOOGLE_APPLICATION_CREDENTIALS=/home/me/key.json", "GOMODCACHE=/mod", "GOPROXY=https://proxy.invalid",
		"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH=arm64", "GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

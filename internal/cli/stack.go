package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"streamgen/internal/wholefile"
)

// defaultEndpoint is where 'gen local' listens unless told otherwise.
const defaultEndpoint = "http://127.0.0.1:4566"

// stackHealth is what the local stack says of itself.
type stackHealth struct {
	Status string `json:"status"`
	// ID names one life of the stack: what another life created is not in this one.
	ID string `json:"id"`
}

// probeStack asks the local stack for its identity. The endpoint must be on this machine: the local environment's
// dummy credentials and unprotected tables are for nothing else.
func probeStack(ctx context.Context, endpoint string) (stackHealth, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.Path != "" && u.Path != "/" {
		return stackHealth{}, usagef("--endpoint %s: want http://ADDRESS:PORT", endpoint)
	}
	if !isLoopback(u.Hostname()) {
		return stackHealth{}, usagef("--endpoint %s: the local stack is on this machine; want a loopback address", endpoint)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := askStack(ctx, u, "health", nil)
	if err != nil {
		return stackHealth{}, fmt.Errorf("no local stack on %s; start it with 'gen local' in another terminal: %w", endpoint, err)
	}
	defer res.Body.Close()
	var h stackHealth
	if err := json.NewDecoder(res.Body).Decode(&h); err != nil || res.StatusCode != http.StatusOK || h.ID == "" {
		return stackHealth{}, fmt.Errorf("what answers on %s is not a streamgen stack; start one with 'gen local --listen 127.0.0.1:PORT' and name it with --endpoint", endpoint)
	}
	return h, nil
}

// askStack asks the stack's own API. No proxy stands between.
func askStack(ctx context.Context, stack *url.URL, operation string, query url.Values) (*http.Response, error) {
	u := stack.JoinPath("_streamgen", operation)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	return client.Do(req)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// switchLocalState brings the state of this life of the stack to where terraform reads it and keeps that of another life aside:
// a stack that was started anew holds nothing of what an older state says.
func switchLocalState(state, id string) error {
	owner := filepath.Join(filepath.Dir(state), "stack-id")
	aside := func(id string) string { return state + "." + filepath.Base(id) }
	if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
		return err
	}
	old, err := os.ReadFile(owner)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = []byte("unknown"), nil
	}
	if err != nil {
		return err
	}
	// Each step can be the last before a crash: the owner is written while no state is in place.
	if string(old) != id {
		if err := moveIfThere(state, aside(string(old))); err != nil {
			return fmt.Errorf("keeping the state of another stack aside: %w", err)
		}
		// A backup of another stack's state must never be taken for one of this stack's.
		if err := os.Remove(state + ".backup"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := wholefile.Write(owner, []byte(id)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return moveIfThere(aside(id), state)
}

func moveIfThere(from, to string) error {
	if err := os.Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

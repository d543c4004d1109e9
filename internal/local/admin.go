package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"streamgen/internal/local/streams"
	"streamgen/internal/local/wire"
)

// adminPath is where the stack's own API begins; no path of AWS's does.
const adminPath = "/_streamgen/"

// adminError is an answer of the admin API that is no success.
type adminError struct {
	status  int
	message string
}

func (e *adminError) Error() string { return e.message }

func refuseAdmin(status int, format string, args ...any) error {
	return &adminError{status, fmt.Sprintf(format, args...)}
}

// adminOperation answers with a value to encode as JSON.
type adminOperation func(*http.Request) (any, error)

// adminOperations are those of a path, by method.
func (s *Stack) adminOperations(path string) map[string]adminOperation {
	switch path {
	case "health":
		return map[string]adminOperation{http.MethodGet: s.health}
	case "clock":
		return map[string]adminOperation{http.MethodGet: s.getClock, http.MethodPost: s.moveClock}
	case eventsPath:
		return map[string]adminOperation{http.MethodGet: nil} // its answer does not end: see serveEvents
	case "faults":
		return map[string]adminOperation{http.MethodGet: s.listFaults, http.MethodPost: s.setFault, http.MethodDelete: s.clearFaults}
	case "streams/roll":
		return map[string]adminOperation{http.MethodPost: s.changeShard(func(st *streams.Stream, shard string) ([]string, error) {
			child, err := st.Roll(shard)
			return []string{child}, err
		})}
	case "streams/split":
		return map[string]adminOperation{http.MethodPost: s.changeShard(func(st *streams.Stream, shard string) ([]string, error) {
			children, err := st.Split(shard)
			return children[:], err
		})}
	case "reset":
		return map[string]adminOperation{http.MethodPost: s.reset}
	case "dump":
		return map[string]adminOperation{http.MethodGet: s.dump}
	}
	if id, ok := strings.CutPrefix(path, "faults/"); ok && id != "" {
		return map[string]adminOperation{http.MethodDelete: s.clearFaults}
	}
	return nil
}

// admin serves the stack's own API.
func (s *Stack) admin(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, adminPath)
	operations := s.adminOperations(path)
	status, out := http.StatusOK, any(nil)
	var err error
	switch operation := operations[r.Method]; {
	case path == eventsPath && r.Method == http.MethodGet:
		if err = s.serveEvents(w, r); err == nil {
			return
		}
	case operations == nil:
		err = refuseAdmin(http.StatusNotFound, "there is no %s: want health, clock, faults, events, streams/roll, streams/split, reset or dump below %s", r.URL.Path, adminPath)
	case operation == nil:
		allowed := strings.Join(slices.Sorted(maps.Keys(operations)), ", ")
		w.Header().Set("Allow", allowed)
		err = refuseAdmin(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, allowed, r.Method)
	default:
		if out, err = operation(r); err == nil {
			err = s.settle(r.Context())
		}
	}
	if err != nil {
		status = http.StatusBadRequest
		var refused *adminError
		if errors.As(err, &refused) {
			status = refused.status
		}
		out = map[string]string{"error": err.Error()}
	}
	body, err := wire.Encode(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone; there is nobody left to tell
}

// maxAdminBody is far more than any request of the admin API needs, in bytes.
const maxAdminBody = 64 << 10

// adminInput decodes a request's body, of which nothing is ignored.
func adminInput(r *http.Request, into any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, maxAdminBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the body: %w", err)
	}
	if dec.More() {
		return errors.New("the body: more than one JSON value")
	}
	return nil
}

// clockState is what the clock tells.
type clockState struct {
	Now time.Time `json:"now"`
}

func (s *Stack) getClock(*http.Request) (any, error) { return clockState{s.opts.Clock.Now()}, nil }

// moveClock sets the clock ahead: what waits and is due goes on.
func (s *Stack) moveClock(r *http.Request) (any, error) {
	var in struct {
		Advance string     `json:"advance"`
		Set     *time.Time `json:"set"`
	}
	if err := adminInput(r, &in); err != nil {
		return nil, err
	}
	if (in.Advance == "") == (in.Set == nil) {
		return nil, errors.New(`want either "advance", such as "90m", or "set", a time such as "2026-01-02T15:04:05Z"`)
	}
	var by time.Duration
	if in.Set != nil {
		by = in.Set.Sub(s.opts.Clock.Now())
	} else {
		var err error
		if by, err = time.ParseDuration(in.Advance); err != nil {
			return nil, fmt.Errorf(`advance: %w; want a duration such as "90m"`, err)
		}
	}
	if by < 0 {
		return nil, errors.New("the clock goes forward alone: records, shards and iterators are of its past")
	}
	if err := s.Advance(by); err != nil {
		return nil, err
	}
	return s.getClock(r)
}

// Advance sets the stack's clock ahead: what waits and is due goes on. It gives an error when [Options.Clock] is one that cannot be set.
func (s *Stack) Advance(by time.Duration) error {
	movable, ok := s.opts.Clock.(interface{ Advance(time.Duration) })
	if !ok {
		return errors.New("the clock of this stack cannot be set")
	}
	movable.Advance(by)
	return nil
}

type faultList struct {
	Faults []Fault `json:"faults"`
}

func (s *Stack) listFaults(*http.Request) (any, error) { return faultList{s.faults.list()}, nil }

func (s *Stack) setFault(r *http.Request) (any, error) {
	var f Fault
	if err := adminInput(r, &f); err != nil {
		return nil, err
	}
	return s.faults.add(f)
}

func (s *Stack) clearFaults(r *http.Request) (any, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, adminPath+"faults"), "/")
	if s.faults.remove(id) == 0 && id != "" {
		return nil, refuseAdmin(http.StatusNotFound, "there is no fault %s: GET %sfaults lists those that are set", id, adminPath)
	}
	return s.listFaults(r)
}

// changeShard makes of a change of one shard the operation that finds the shard.
func (s *Stack) changeShard(change func(*streams.Stream, string) ([]string, error)) adminOperation {
	return func(r *http.Request) (any, error) {
		var in struct {
			Region string `json:"region"`
			Table  string `json:"table"`
			Shard  string `json:"shard"`
		}
		if err := adminInput(r, &in); err != nil {
			return nil, err
		}
		stream, err := s.openStream(in.Region, in.Table)
		if err != nil {
			return nil, err
		}
		if in.Shard == "" {
			var open []string
			for _, sh := range stream.Shards() {
				if !sh.Closed {
					open = append(open, sh.ID)
				}
			}
			if len(open) != 1 {
				return nil, fmt.Errorf(`want "shard": one of %s`, strings.Join(open, ", "))
			}
			in.Shard = open[0]
		}
		children, err := change(stream, in.Shard)
		if err != nil {
			return nil, err
		}
		if err := s.settle(r.Context()); err != nil {
			return nil, err
		}
		return map[string]any{"parent": in.Shard, "children": children}, nil
	}
}

// openStream gives the enabled stream of a table; region "" is the stack's own.
func (s *Stack) openStream(region, table string) (*streams.Stream, error) {
	r, err := s.usedRegion(region)
	if err != nil {
		return nil, err
	}
	if table == "" {
		return nil, errors.New(`want "table": the name of a table with a stream`)
	}
	for _, stream := range r.registry.List(table) {
		if stream.Describe().Status == streams.Enabled {
			return stream, nil
		}
	}
	return nil, refuseAdmin(http.StatusNotFound, "table %s has no enabled stream", table)
}

// usedRegion gives a region that was used before; "" is the stack's own.
func (s *Stack) usedRegion(name string) (*regional, error) {
	if name == "" {
		name = s.opts.Region
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.regions[name]
	if r == nil {
		return nil, refuseAdmin(http.StatusNotFound, "nothing was made in region %q: want one of %q", name, slices.Sorted(maps.Keys(s.regions)))
	}
	return r, nil
}

// reset drops everything: of one region, or of all and with it roles and faults.
func (s *Stack) reset(r *http.Request) (any, error) {
	var in struct {
		Region string `json:"region"`
	}
	if err := adminInput(r, &in); err != nil {
		return nil, err
	}
	if s.folder != nil {
		return nil, refuseAdmin(http.StatusConflict, "this stack keeps its data in a folder: end it, remove the folder %s and start it again", s.opts.DataDir)
	}
	dropped := s.take(in.Region)
	var errs []error
	for name, region := range dropped {
		if err := region.close(context.WithoutCancel(r.Context())); err != nil {
			errs = append(errs, fmt.Errorf("ending region %s: %w", name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, refuseAdmin(http.StatusInternalServerError, "%v", err)
	}
	return map[string][]string{"dropped": slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(dropped))))}, nil
}

// take takes a region, or for "" everything, out of the stack and leaves it empty.
func (s *Stack) take(region string) map[string]*regional {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects.Drop(region)
	if region != "" {
		r, found := s.regions[region]
		if !found {
			return nil
		}
		delete(s.regions, region)
		r.engine.Leave()
		return map[string]*regional{region: r}
	}
	all := s.regions
	s.regions = map[string]*regional{}
	s.setRoles(s.newRoles())
	s.faults.remove("")
	return all
}

// identityHandlers gives the front ends of the roles that there are now.
func (s *Stack) identityHandlers() (iam, sts http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.iam, s.sts
}

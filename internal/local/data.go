package local

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
)

// The spaces of the data folder that belong to no region.
const (
	stackSpace = "stack"
	rolesSpace = "roles"
	// Buckets lie in a region each, and in one registry.
	bucketsSpace = "buckets"
	objectsSpace = "objects"
)

// openData opens the data folder and takes from it what belongs to no region. The stack that goes on is the one that was: it keeps its
// id.
func (s *Stack) openData(roles *control.Roles) error {
	folder, err := durable.Open(s.opts.DataDir)
	if err != nil {
		return err
	}
	s.folder = folder
	if s.opts.Dir == "" {
		if s.opts.Dir, err = emptyFolder(filepath.Join(s.opts.DataDir, "running")); err != nil {
			return err
		}
	}
	space := folder.Space(stackSpace)
	err = space.Each(func(_ string, text []byte) error { return json.Unmarshal(text, &s.id) })
	if err != nil {
		return err
	}
	space.Put("id", s.id)
	if err := s.objects.Restore(folder.Space(bucketsSpace), folder.Space(objectsSpace)); err != nil {
		return fmt.Errorf("restoring buckets: %w", err)
	}
	return roles.Restore(folder.Space(rolesSpace))
}

// emptyFolder gives the absolute path of a folder without what a killed process left there: functions run in folders of their own.
func emptyFolder(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	return path, os.MkdirAll(path, 0o700)
}

// restoreRegions opens the regions that have something in the data folder, so that their mappings go on.
func (s *Stack) restoreRegions() error {
	var names []string
	for _, space := range s.folder.Spaces("") {
		if name, _, inRegion := strings.Cut(space, "/"); inRegion {
			names = append(names, name)
		}
	}
	names = slices.Compact(names)
	var engines []*engine.Engine
	for _, name := range names {
		registry, tables, err := s.restoreTables(name)
		if err != nil {
			return fmt.Errorf("opening region %s: %w", name, err)
		}
		s.reopened[name] = data{registry, tables}
		engines = append(engines, tables)
	}
	engine.Link(engines...)
	for _, name := range names {
		if _, err := s.region(name); err != nil {
			return err
		}
	}
	return nil
}

// data is what holds a region's items and their changes.
type data struct {
	streams *streams.Registry
	tables  *engine.Engine
}

// data gives a region's streams and tables: those that the data folder had when the stack started, else new ones.
func (s *Stack) data(region string) (data, error) {
	if reopened, found := s.reopened[region]; found {
		delete(s.reopened, region)
		return reopened, nil
	}
	registry, tables, err := s.restoreTables(region)
	return data{registry, tables}, err
}

// settle returns when all that was done so far is in the data folder, if there is one.
func (s *Stack) settle(ctx context.Context) error {
	if s.folder == nil {
		return nil
	}
	return s.folder.Wait(ctx)
}

// peer gives the tables of a region, for replicas there.
func (s *Stack) peer(region string) (*engine.Engine, error) {
	r, err := s.region(region)
	if err != nil {
		return nil, err
	}
	return r.engine, nil
}

// restoreTables gives a region's streams and tables as the data folder has them.
func (s *Stack) restoreTables(region string) (*streams.Registry, *engine.Engine, error) {
	streamOptions := streams.Options{Account: Account, Region: region, Clock: s.opts.Clock}
	options := engine.Options{Account: Account, Region: region, Clock: s.opts.Clock, Locks: s.locks, Peer: s.peer}
	if s.folder == nil {
		registry := streams.New(streamOptions)
		options.Streams = registry
		return registry, engine.New(options), nil
	}
	streamData := newStreamData(s.folder, region)
	states, err := streamData.load()
	if err != nil {
		return nil, nil, fmt.Errorf("reading streams: %w", err)
	}
	streamOptions.Journal = streamData
	registry, err := streams.Restore(streamOptions, states)
	if err != nil {
		return nil, nil, err
	}
	data := newTableData(s.folder, region)
	kept, err := data.load()
	if err != nil {
		return nil, nil, fmt.Errorf("reading tables: %w", err)
	}
	kept.Stream = func(arn string) (engine.Stream, bool) { return registry.Lookup(arn) }
	options.Streams, options.Journal = registry, data
	tables, err := engine.Reopen(options, kept)
	return registry, tables, err
}

// restoreRegion takes from the data folder what a region has beside its tables and its mappings.
func (s *Stack) restoreRegion(region string, r *regional) error {
	space := func(kind string) *durable.Space { return s.folder.Space(region + "/" + kind) }
	if err := r.restorePlatform(space); err != nil {
		return err
	}
	if err := r.groups.Restore(space("log-groups")); err != nil {
		return fmt.Errorf("restoring log groups: %w", err)
	}
	if err := r.scaling.Restore(space("scaling")); err != nil {
		return fmt.Errorf("restoring scalable targets: %w", err)
	}
	if err := r.queues.Restore(space("queues"), space("messages")); err != nil {
		return fmt.Errorf("restoring queues: %w", err)
	}
	if err := r.topics.Restore(space("topics"), space("subscriptions")); err != nil {
		return fmt.Errorf("restoring topics: %w", err)
	}
	if err := r.alarms.Restore(space("metric-alarms")); err != nil { // after what their actions go to
		return fmt.Errorf("restoring alarms: %w", err)
	}
	if err := r.functions.Restore(space("functions"), s.folder.Files("packages/"+region)); err != nil {
		return err
	}
	return r.mappings.Restore(space("mappings"), space("checkpoints"))
}

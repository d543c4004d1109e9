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
	for _, name := range slices.Compact(names) {
		if _, err := s.region(name); err != nil {
			return err
		}
	}
	return nil
}

// settle returns when all that was done so far is in the data folder, if there is one.
func (s *Stack) settle(ctx context.Context) error {
	if s.folder == nil {
		return nil
	}
	return s.folder.Wait(ctx)
}

// restoreTables gives a region's streams and tables as the data folder has them.
func (s *Stack) restoreTables(region string) (*streams.Registry, *engine.Engine, error) {
	streamOptions := streams.Options{Account: Account, Region: region, Clock: s.opts.Clock}
	options := engine.Options{Account: Account, Region: region, Clock: s.opts.Clock}
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
	if err := r.alarms.Restore(space("metric-alarms")); err != nil { // after what their actions go to
		return fmt.Errorf("restoring alarms: %w", err)
	}
	if err := r.functions.Restore(space("functions"), s.folder.Files("packages/"+region)); err != nil {
		return err
	}
	return r.mappings.Restore(space("mappings"), space("checkpoints"))
}

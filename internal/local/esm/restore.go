package esm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Journal keeps entries by a key, so that they outlive the process.
type Journal interface {
	// Put keeps an entry as JSON, as it is now.
	Put(key string, entry any)
	Delete(key string)
	// Each gives what is kept, in the order of the keys.
	Each(f func(key string, entry []byte) error) error
}

// kept is what a journal keeps of a mapping.
type kept struct {
	UUID     string
	Number   uint64
	Config   Config
	Modified time.Time
	Tags     map[string]string
	// Began says that the starting position is behind the mapping: its checkpoints say where it is.
	Began bool
}

// checkpointKey is the shard's in the journal of checkpoints.
func checkpointKey(uuid, shard string) string { return uuid + "/" + shard }

// keep tells the journal of a mapping that changed, after its first checkpoints. The caller holds owner.mu.
func (mp *mapping) keep() {
	if mp.owner.journal == nil {
		return
	}
	mp.owner.journal.Put(mp.uuid, kept{
		UUID: mp.uuid, Number: mp.number, Config: mp.config, Modified: mp.modified, Tags: mp.tags, Began: mp.progress.hasBegun(),
	})
}

// forget tells the journals that a mapping is gone. The caller holds owner.mu.
func (mp *mapping) forget() {
	if mp.owner.journal != nil {
		mp.owner.journal.Delete(mp.uuid)
		mp.progress.end()
	}
}

func (p *progress) hasBegun() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.began
}

// Restore takes in the mappings that the journal has with their checkpoints, tells both of every change from then on, and goes on where
// the mappings were. It comes before all other calls, and after the streams and the functions are there.
func (m *Mappings) Restore(mappings, checkpoints Journal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.journal, m.checkpoints = mappings, checkpoints
	byUUID := map[string]*mapping{}
	err := mappings.Each(func(_ string, text []byte) error {
		var k kept
		if err := json.Unmarshal(text, &k); err != nil {
			return err
		}
		source, found := m.opts.Source(k.Config.StreamARN)
		if !found {
			source = trimmedStream{}
		}
		mp := m.newMapping(k, source)
		byUUID[k.UUID] = mp
		m.order = append(m.order, mp)
		m.created = max(m.created, k.Number)
		return nil
	})
	if err != nil {
		return fmt.Errorf("restoring event source mappings: %w", err)
	}
	err = checkpoints.Each(func(key string, text []byte) error {
		uuid, shard, _ := strings.Cut(key, "/")
		mp := byUUID[uuid]
		if mp == nil { // it was deleted while a batch was in flight
			checkpoints.Delete(key)
			return nil
		}
		var c checkpoint
		err := json.Unmarshal(text, &c)
		mp.progress.shards[shard] = c
		return err
	})
	if err != nil {
		return fmt.Errorf("restoring checkpoints: %w", err)
	}
	slices.SortFunc(m.order, func(a, b *mapping) int { return cmp.Compare(a.number, b.number) })
	for _, mp := range m.order {
		mp.start()
	}
	return nil
}

// trimmedStream stands for a stream that is gone, as one is a day after it was disabled.
type trimmedStream struct{}

func (trimmedStream) Shards() []Shard { return nil }

func (trimmedStream) Latest(string) string { return "" }

func (trimmedStream) Read(string, string, int) ([]Record, bool, error) { return nil, true, nil }

func (trimmedStream) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

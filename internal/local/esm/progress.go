package esm

import "sync"

// progress is how far a mapping has come. It outlives the pollers.
type progress struct {
	journal Journal // nil keeps nothing
	uuid    string  // of the mapping

	mu     sync.Mutex
	began  bool
	shards map[string]checkpoint
	last   string        // what the mapping did last
	moved  chan struct{} // closed, and replaced, when a checkpoint moves; nil while nobody waits
}

// checkpoint is the lowest place in a shard below which everything is done. It is also what a journal keeps.
type checkpoint struct {
	After string
	Done  bool // the shard is drained
	// Window is the tumbling window that is open there; nil for none.
	Window *window `json:",omitempty"`
}

// set moves a shard's checkpoint. The caller holds p.mu.
func (p *progress) set(shard string, c checkpoint) {
	p.shards[shard] = c
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
	if p.journal != nil {
		p.journal.Put(checkpointKey(p.uuid, shard), c)
	}
}

// drop forgets a shard. The caller holds p.mu.
func (p *progress) drop(shard string) {
	delete(p.shards, shard)
	if p.journal != nil {
		p.journal.Delete(checkpointKey(p.uuid, shard))
	}
}

// end forgets everything, for good.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for shard := range p.shards {
		p.drop(shard)
	}
	p.journal = nil // a batch in flight may still end
}

// begin fixes the starting position in every shard there is. It does so once: a mapping that is enabled again goes on
// where it was. Shards that appear later are read from their first record.
func (p *progress) begin(source Source, position string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began {
		return
	}
	p.began = true
	if position != Latest {
		return
	}
	for _, s := range source.Shards() {
		p.set(s.ID, checkpoint{After: source.Latest(s.ID), Done: s.Closed})
	}
}

func (p *progress) at(shard string) checkpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shards[shard]
}

// movement gives the channel that is closed when a checkpoint moves next.
func (p *progress) movement() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	return p.moved
}

func (p *progress) places() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[string]string, len(p.shards))
	for shard, c := range p.shards {
		all[shard] = c.After
	}
	return all
}

// move changes a shard's checkpoint.
func (p *progress) move(shard string, change func(*checkpoint)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.shards[shard]
	change(&c)
	p.set(shard, c)
}

func (p *progress) drained(shard string) { p.move(shard, func(c *checkpoint) { c.Done = true }) }

// keep drops what is known of shards that the stream no longer has.
func (p *progress) keep(shards []Shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := make(map[string]bool, len(shards))
	for _, s := range shards {
		there[s.ID] = true
	}
	for id, c := range p.shards {
		if c.Done && !there[id] {
			p.drop(id)
		}
	}
}

func (p *progress) note(result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = result
}

func (p *progress) result() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

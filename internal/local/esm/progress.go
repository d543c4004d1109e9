package esm

import "sync"

// progress is how far a mapping has come. It outlives the pollers.
type progress struct {
	mu     sync.Mutex
	began  bool
	shards map[string]checkpoint
	last   string // what the mapping did last
}

// checkpoint is the lowest place in a shard below which everything is done.
type checkpoint struct {
	after string
	done  bool // the shard is drained
}

// begin fixes the starting position in every shard there is. It does so once: a mapping that is enabled again goes on
// where it was. Shards that appear later are read from their first record.
func (p *progress) begin(source Source, position string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began {
		return
	}
	p.began, p.shards = true, map[string]checkpoint{}
	if position != Latest {
		return
	}
	for _, s := range source.Shards() {
		p.shards[s.ID] = checkpoint{after: source.Latest(s.ID), done: s.Closed}
	}
}

func (p *progress) at(shard string) checkpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shards[shard]
}

// advance records that everything up to and including a sequence number is done.
func (p *progress) advance(shard, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shards[shard] = checkpoint{after: to}
}

func (p *progress) drained(shard string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.shards[shard]
	c.done = true
	p.shards[shard] = c
}

// keep drops what is known of shards that the stream no longer has.
func (p *progress) keep(shards []Shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := make(map[string]bool, len(shards))
	for _, s := range shards {
		there[s.ID] = true
	}
	for id, c := range p.shards {
		if c.done && !there[id] {
			delete(p.shards, id)
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

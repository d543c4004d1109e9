package host

import (
	"maps"
	"sync"
)

// revision is one state of a function's code and configuration, and the processes that run it.
type revision struct {
	host     *Host
	family   *family
	function Function // never changes; its tags are in tags
	code     *code
	layers   *code             // nil for none
	tags     map[string]string // guarded by host.mu

	mu      sync.Mutex
	idle    []*process
	retired bool
}

// newRevision takes over the caller's holds.
func newRevision(h *Host, fam *family, f Function, code, layers *code) *revision {
	tags := maps.Clone(f.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	f.Tags = nil
	return &revision{host: h, family: fam, function: f, code: code, layers: layers, tags: tags}
}

// hold keeps the revision's files; drop gives them up.
func (r *revision) hold() {
	r.code.hold()
	if r.layers != nil {
		r.layers.hold()
	}
}

func (r *revision) drop() { dropAll(r.code, r.layers) }

// retire ends the idle processes; those at work end with it.
func (r *revision) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = true
	for _, p := range r.idle {
		close(p.taken)
		go p.shutdown() // ends with the process, as every goroutine here does
	}
	r.idle = nil
	r.drop()
}

// take gives an idle process, the one that rested last, or nil.
func (r *revision) take() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.idle) > 0 {
		p := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		close(p.taken)
		if !p.gone() {
			return p
		}
	}
	return nil
}

// rest puts a process that waits for work back, for as long as a process may idle.
func (r *revision) rest(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.retired {
		go p.shutdown()
		return
	}
	p.taken = make(chan struct{})
	r.idle = append(r.idle, p)
	timer, stop := r.host.opts.Clock.After(r.host.opts.IdleTimeout)
	taken := p.taken
	go func() {
		defer stop()
		select {
		case <-taken:
		case <-p.exited:
			r.remove(p)
		case <-timer:
			if r.remove(p) {
				p.shutdown()
			}
		}
	}()
}

// remove takes a process out of the idle ones; it is false when another was faster.
func (r *revision) remove(p *process) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, q := range r.idle {
		if p == q {
			r.idle = append(r.idle[:i], r.idle[i+1:]...)
			return true
		}
	}
	return false
}

// Package engine is DynamoDB's data side in memory: tables with their indexes, items, conditional writes, queries and
// time to live. Every change of an item goes to the table's stream under the lock that orders the changes.
//
// The engine takes requests as Go values and answers with the service's errors, see [Error]; it knows no protocol.
package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
)

// Kind is what a write did to an item.
type Kind string

// The kinds of change, spelled as stream records spell them.
const (
	Insert Kind = "INSERT"
	Modify Kind = "MODIFY"
	Remove Kind = "REMOVE"
)

// Change is one change of one item. A write that leaves the item as it was makes none.
type Change struct {
	Kind Kind
	// Keys are the item's primary key attributes.
	Keys attr.Item
	// Old is nil for Insert, New is nil for Remove.
	Old, New attr.Item
	At       time.Time
	// ByTTL marks a Remove that nobody requested: the item had expired.
	ByTTL bool
}

// ChangeSink takes the changes of a table one after the other. Append is called under the table's lock and must not call
// the engine.
type ChangeSink interface {
	Append(Change)
}

// Stream is a table's open change stream.
type Stream interface {
	ChangeSink
	ARN() string
	Label() string
	// Close ends the stream: no Append follows.
	Close()
}

// StreamTable is what a stream says of its table.
type StreamTable struct {
	Name string
	Keys []KeyElement
	// View is "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE" or "NEW_AND_OLD_IMAGES".
	View string
}

// Streams opens streams for tables.
type Streams interface {
	Open(StreamTable) Stream
}

// Options say where an engine stands. All are needed but Journal, Locks and Peer.
type Options struct {
	Account, Region string
	Clock           clock.Clock
	Streams         Streams
	// Journal is told of every change; nil tells nobody. Engines with replicas of each other's tables have journals that begin changes together.
	Journal Journal
	// Locks are shared by the engines that may have replicas of each other's tables; nil means locks of the engine's own.
	Locks *Locks
	// Peer gives the engine of another region, which shares Locks; nil where there is none.
	Peer func(region string) (*Engine, error)
}

// Engine holds the tables of one account in one region. It is safe for concurrent use.
type Engine struct {
	options Options

	mu      sync.RWMutex
	tables  map[string]*table
	backups map[string]*backup // by ARN

	transactions sync.Mutex                 // of writing
	tokens       map[string]doneTransaction // guarded by transactions
	tokenNames   []string                   // those of tokens, the oldest first

	expiry  sync.WaitGroup
	life    sync.Mutex    // guards what follows; taken after every other lock
	closing chan struct{} // nil until a table has a time to live
	closed  bool
}

// New gives an engine without tables.
func New(o Options) *Engine {
	if o.Locks == nil {
		o.Locks = NewLocks()
	}
	return &Engine{options: o, tables: map[string]*table{}, backups: map[string]*backup{}, tokens: map[string]doneTransaction{}}
}

// Close ends the engine's work in the background. Tables stay readable.
func (e *Engine) Close() {
	e.life.Lock()
	if e.closing != nil && !e.closed {
		close(e.closing)
	}
	e.closed = true
	e.life.Unlock()
	e.expiry.Wait()
}

func (e *Engine) arn(table string) string {
	return "arn:aws:dynamodb:" + e.options.Region + ":" + e.options.Account + ":table/" + table
}

// named is the name of the table that a request means: by its name, or by its ARN if that is one of this account and region.
func (e *Engine) named(name string) string { return strings.TrimPrefix(name, e.arn("")) }

// newName is the name that a new table is to have, by its name or ARN.
func (e *Engine) newName(name string) (string, error) {
	own := e.named(name)
	if strings.HasPrefix(own, "arn:") {
		return "", e.absent(own, noTable)
	}
	return own, nil
}

// absent words that there is no table of the name or ARN. How AWS refuses a table of another region is not documented.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-cross-account-access.html
func (e *Engine) absent(name string, missing func(name string) error) error {
	if own := e.named(name); own != name || !strings.HasPrefix(name, "arn:") {
		return missing(own)
	}
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[2] == "dynamodb" && parts[3] == e.options.Region && parts[4] != e.options.Account {
		return fail("AccessDeniedException", "User: arn:aws:iam::%s:root is not authorized to access resource: %s because no resource-based policy allows it", e.options.Account, name)
	}
	return validation("Invalid TableArn: Invalid ResourceArn provided as input %s", name)
}

// lookup finds a table by its name or ARN.
func (e *Engine) lookup(name string) (*table, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, found := e.tables[e.named(name)]
	return t, found
}

// Exists says whether there is a table of the name, and unless index is "" a global index of it of that name.
func (e *Engine) Exists(name, index string) bool {
	err := e.inspect(name, noTable, func(t *table) error {
		_, err := t.insights(index)
		return err
	})
	return err == nil
}

// inspect calls f with the table locked for reading. missing words the error for a table that does not exist.
func (e *Engine) inspect(name string, missing func(name string) error, f func(*table) error) error {
	t, found := e.lookup(name)
	if !found {
		return e.absent(name, missing)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.deleted {
		return e.absent(name, missing)
	}
	return f(t)
}

// configure is alter for what may change the table itself.
func (e *Engine) configure(name string, missing func(name string) error, f func(*table) error) error {
	return e.alter(name, missing, func(t *table) error {
		err := f(t)
		if err == nil {
			t.keep()
			t.settle()
		}
		return err
	})
}

// alter calls f with the table locked for writing. What it does to items and streams outlives the process as a whole or not at all.
func (e *Engine) alter(name string, missing func(name string) error, f func(*table) error) error {
	t, found := e.lookup(name)
	if !found {
		return e.absent(name, missing)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deleted {
		return e.absent(name, missing)
	}
	defer begin(t.journal)()
	return f(t)
}

// ListTables gives up to limit names after the given one in their order, and the last of them when there are more.
func (e *Engine) ListTables(after string, limit int) (page []string, last string) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	page = slices.Sorted(maps.Keys(e.tables))
	from, found := slices.BinarySearch(page, after)
	if found {
		from++
	}
	page = page[from:]
	if len(page) > limit {
		page = page[:limit]
		last = page[limit-1]
	}
	return page, last
}

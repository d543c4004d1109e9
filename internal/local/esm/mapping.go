package esm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Where a mapping begins to read.
const (
	Latest      = "LATEST"
	TrimHorizon = "TRIM_HORIZON"
)

// The states of a mapping. Those that end in "ing" appear only in the answer to the call that brings them about.
const (
	Creating  = "Creating"
	Enabling  = "Enabling"
	Enabled   = "Enabled"
	Disabling = "Disabling"
	Disabled  = "Disabled"
	Updating  = "Updating"
	Deleting  = "Deleting"
)

// What a mapping did last.
const (
	nothingYet = "No records processed"
	allWell    = "OK"
	callFailed = "PROBLEM: Function call failed"
)

// Config is what a caller decides about a mapping, under Lambda's names and in its ranges, which the caller has checked.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
type Config struct {
	// StreamARN and StartingPosition stay as they were created.
	StreamARN        string
	StartingPosition string
	// FunctionARN carries a qualifier if the caller gave one.
	FunctionARN                    string
	Enabled                        bool
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	// MaximumRecordAgeInSeconds is -1 for as long as the stream keeps records.
	MaximumRecordAgeInSeconds int
	// MaximumRetryAttempts is -1 for as long as the record lives.
	MaximumRetryAttempts    int
	ReportBatchItemFailures bool
	// ParallelizationFactor is how many batches of a shard are in flight at a time, 1 to 10; 0 is 1.
	ParallelizationFactor int
	// TumblingWindowInSeconds is the length of the windows over which the function keeps a state, up to 900; 0 is none.
	TumblingWindowInSeconds int
	// BisectBatchOnFunctionError splits a failed batch in two, which uses up no attempt.
	BisectBatchOnFunctionError bool
	// OnFailure is the ARN of the destination of records that are given up; empty for none.
	OnFailure string
	// Filters are patterns of which a record must match one; without any, every record is delivered.
	Filters []string
	// KMSKeyARN is that of the key of the filters; "" for AWS's own. It is kept and told, and nothing is encrypted.
	KMSKeyARN string
	// EventCount says that the mapping counts its records, see [Options.Metrics].
	EventCount bool
}

// Mapping is an event source mapping as it stood when it was asked for.
type Mapping struct {
	Config
	UUID, ARN            string
	State                string
	LastModified         time.Time
	LastProcessingResult string
	Tags                 map[string]string
}

// Mappings holds mappings and runs their pollers. It is safe for concurrent use.
type Mappings struct {
	opts Options
	// invoking ends only when Close gives up waiting: an invocation in flight outlives its mapping.
	invoking context.Context
	abort    context.CancelFunc
	wg       sync.WaitGroup // of pollers; added to under mu while open

	mu      sync.Mutex
	closed  bool
	order   []*mapping // as created
	created uint64     // mappings so far

	journal, checkpoints Journal // nil keep nothing
}

type mapping struct {
	owner  *Mappings
	source Source
	uuid   string
	number uint64 // among all mappings, as created

	// Guarded by owner.mu.
	config   Config
	modified time.Time
	tags     map[string]string
	poller   *poller // the last one; nil before the first

	progress progress
}

// New makes an empty set of mappings.
func New(opts Options) *Mappings {
	ctx, cancel := context.WithCancel(context.Background())
	return &Mappings{opts: opts.withDefaults(), invoking: ctx, abort: cancel}
}

// Close stops every poller. It waits for the batches in flight until ctx ends, and then cancels their invocations; when it
// returns, nothing runs any more. Its error is ctx's if it had to cancel.
func (m *Mappings) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	for _, mp := range m.order {
		mp.stop()
	}
	m.mu.Unlock()

	done := make(chan struct{})
	go func() {
		defer close(done)
		m.wg.Wait()
	}()
	defer m.abort()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		m.abort()
		<-done
		return fmt.Errorf("waiting for batches in flight: %w", ctx.Err())
	}
}

// Create adds a mapping and starts it if it is enabled. Its place in the stream is fixed when it returns: a record written after
// that is delivered also at LATEST. One that is created disabled takes its place when it is enabled first.
func (m *Mappings) Create(c Config, tags map[string]string) (Mapping, error) {
	source, found := m.opts.Source(c.StreamARN)
	if !found {
		return Mapping{}, errorf(InvalidParameterValue, "Stream not found: %s", c.StreamARN)
	}
	if _, err := parseFilters(c.Filters); err != nil {
		return Mapping{}, err
	}
	if m.opts.Access != nil {
		if err := m.opts.Access(c.FunctionARN, c.StreamARN); err != nil {
			return Mapping{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.unique(c, nil); err != nil {
		return Mapping{}, err
	}
	m.created++
	mp := m.newMapping(kept{UUID: uuid.NewString(), Number: m.created, Config: c, Modified: m.opts.Clock.Now(), Tags: map[string]string{}}, source)
	maps.Copy(mp.tags, tags)
	m.order = append(m.order, mp)
	mp.start()
	mp.keep()
	return mp.snapshot(Creating), nil
}

func (m *Mappings) newMapping(k kept, source Source) *mapping {
	mp := &mapping{owner: m, source: source, uuid: k.UUID, number: k.Number, config: k.Config, modified: k.Modified, tags: k.Tags}
	mp.progress.journal, mp.progress.uuid, mp.progress.last = m.checkpoints, k.UUID, nothingYet
	mp.progress.began, mp.progress.shards = k.Began, map[string]checkpoint{}
	return mp
}

// AwaitCaughtUp returns once nothing that is in a mapping's stream is left for it: each record was delivered, filtered out or given up.
// The error is ctx's, with how far the mapping came.
func (m *Mappings) AwaitCaughtUp(ctx context.Context, id string) error {
	m.mu.Lock()
	mp, err := m.find(id)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for {
		moved := mp.progress.movement()
		behind, err := mp.behind()
		if err != nil || behind == "" {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("mapping %s (%s): its last processing result is %q: %w", id, behind, mp.progress.result(), ctx.Err())
		}
	}
}

// behind says what is left for the mapping; "" when nothing is.
func (mp *mapping) behind() (string, error) {
	for _, s := range mp.source.Shards() {
		at := mp.progress.at(s.ID)
		if at.Done {
			continue
		}
		left, _, err := mp.source.Read(s.ID, at.After, 1)
		if err != nil {
			return "", err
		}
		if len(left) > 0 {
			return fmt.Sprintf("shard %s: record %s is not done", s.ID, left[0].SequenceNumber), nil
		}
	}
	return "", nil
}

// Checkpoints gives for each shard that a mapping has begun the sequence number up to which everything is done.
func (m *Mappings) Checkpoints(id string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, err := m.find(id)
	if err != nil {
		return nil, err
	}
	return mp.progress.places(), nil
}

// unique refuses a second mapping of a stream to a function. The caller holds m.mu.
func (m *Mappings) unique(c Config, self *mapping) error {
	for _, mp := range m.order {
		if mp != self && mp.config.StreamARN == c.StreamARN && mp.config.FunctionARN == c.FunctionARN {
			_, name, _ := strings.Cut(c.FunctionARN, ":function:")
			return errorf(ResourceConflict, `The event source arn (" %s ") and function (" %s ") provided mapping already exists. `+
				`Please update or delete the existing mapping with UUID %s`, c.StreamARN, name, mp.uuid)
		}
	}
	return nil
}

// find gives a mapping by its UUID. The caller holds m.mu.
func (m *Mappings) find(id string) (*mapping, error) {
	for _, mp := range m.order {
		if mp.uuid == id {
			return mp, nil
		}
	}
	return nil, errorf(ResourceNotFound, "The resource you requested does not exist.")
}

// Get gives a mapping.
func (m *Mappings) Get(id string) (Mapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	return mp.snapshot(""), nil
}

// List gives every mapping, the oldest first.
func (m *Mappings) List() []Mapping {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Mapping, len(m.order))
	for i, mp := range m.order {
		all[i] = mp.snapshot("")
	}
	return all
}

// Update applies change to a mapping's configuration; nothing changes when it gives an error. A batch in flight ends under the
// old configuration; what it leaves undone is read again under the new one, with fresh counters.
func (m *Mappings) Update(id string, change func(*Config) error) (Mapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	was, c := mp.config.Enabled, mp.config
	if err := change(&c); err != nil {
		return Mapping{}, err
	}
	if err := m.unique(c, mp); err != nil {
		return Mapping{}, err
	}
	if _, err := parseFilters(c.Filters); err != nil {
		return Mapping{}, err
	}
	mp.stop()
	mp.config, mp.modified = c, m.opts.Clock.Now()
	mp.start()
	mp.keep()
	switch {
	case was && !c.Enabled:
		return mp.snapshot(Disabling), nil
	case !was && c.Enabled:
		return mp.snapshot(Enabling), nil
	}
	return mp.snapshot(Updating), nil
}

// UpdateTags applies change to a mapping's tags.
func (m *Mappings) UpdateTags(id string, change func(tags map[string]string)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, err := m.find(id)
	if err != nil {
		return err
	}
	change(mp.tags)
	mp.keep()
	return nil
}

// Delete removes a mapping. A batch in flight runs to its end.
func (m *Mappings) Delete(id string) (Mapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	mp.stop()
	m.order = slices.DeleteFunc(m.order, func(other *mapping) bool { return other == mp })
	mp.forget()
	return mp.snapshot(Deleting), nil
}

// snapshot is the mapping for a caller; state "" is the one that it has settled in. The caller holds owner.mu.
func (mp *mapping) snapshot(state string) Mapping {
	if state == "" {
		state = Disabled
		if mp.config.Enabled {
			state = Enabled
		}
	}
	return Mapping{
		Config: mp.config, UUID: mp.uuid, State: state, LastModified: mp.modified, Tags: maps.Clone(mp.tags),
		ARN:                  fmt.Sprintf("arn:aws:lambda:%s:%s:event-source-mapping:%s", mp.owner.opts.Region, mp.owner.opts.Account, mp.uuid),
		LastProcessingResult: mp.progress.result(),
	}
}

// start runs a poller if the mapping is enabled. It begins when the one before it has ended. The caller holds owner.mu.
func (mp *mapping) start() {
	m := mp.owner
	if !mp.config.Enabled || m.closed {
		return
	}
	mp.progress.begin(mp.source, mp.config.StartingPosition)
	ctx, cancel := context.WithCancel(context.Background())
	filters, _ := parseFilters(mp.config.Filters) // which Create and Update have looked at
	p := &poller{
		filters: filters, opts: m.opts, config: mp.config, source: mp.source, progress: &mp.progress, invoking: m.invoking,
		stop: cancel, done: make(chan struct{}), wake: make(chan struct{}),
	}
	before := mp.poller
	mp.poller = p
	m.wg.Go(func() {
		defer close(p.done)
		if before != nil {
			<-before.done
		}
		p.run(ctx)
	})
}

// stop tells the poller to end after the batch in flight. The caller holds owner.mu.
func (mp *mapping) stop() {
	if mp.poller != nil {
		mp.poller.stop()
	}
}

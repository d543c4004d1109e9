package control

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
)

// LogGroup is a CloudWatch Logs log group.
type LogGroup struct {
	Name, ARN string // the ARN without the ":*" that listings add
	Created   time.Time
	// RetentionDays is how long events are kept; 0 is for ever.
	RetentionDays int
	// StoredBytes counts the events that are there, as [MaxGroupBytes] does.
	StoredBytes int
	Tags        map[string]string
	// Class is one of the classes below; "" is [StandardLogs].
	Class string
	// KeyARN is the KMS key that the group is described with; "" is none. Nothing is encrypted.
	KeyARN string
	// Protected says that the group cannot be deleted.
	Protected bool
}

// The classes of a log group. Events of an infrequently read group cannot be read by the API here or on AWS, but by queries.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
const (
	StandardLogs   = "STANDARD"
	InfrequentLogs = "INFREQUENT_ACCESS"
)

// LogClass is the group's class.
func (g LogGroup) LogClass() string { return cmp.Or(g.Class, StandardLogs) }

// LogStream is one source's sequence of events in a group.
type LogStream struct {
	Name, ARN string
	Created   time.Time
	// FirstEvent, LastEvent and LastIngestion are zero as long as the stream never had an event.
	FirstEvent, LastEvent, LastIngestion time.Time
}

type logGroup struct {
	LogGroup
	streams map[string]*LogStream
	events  []LogEvent // in the order of their arrival
}

// Logs is the registry of one region's log groups. It is safe for concurrent use.
type Logs struct {
	account, region string
	clock           clock.Clock

	mu          sync.Mutex
	groups      map[string]*logGroup
	arrivals    uint64 // events so far
	subscribers map[*func(LogEvent)]struct{}
	journal     Journal // nil keeps nothing
}

// NewLogs gives an empty registry.
func NewLogs(account, region string, c clock.Clock) *Logs {
	return &Logs{account: account, region: region, clock: c,
		groups: map[string]*logGroup{}, subscribers: map[*func(LogEvent)]struct{}{}}
}

// Codes of the errors that Logs gives.
const (
	codeNotFound = "ResourceNotFoundException"
	codeExists   = "ResourceAlreadyExistsException"
)

func (l *Logs) now() time.Time { return l.clock.Now().UTC().Truncate(time.Millisecond) }

// CreateGroup adds a log group of that name, class, key, protection and tags; one that [Logs.Append] made counts too.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
func (l *Logs) CreateGroup(g LogGroup) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, found := l.groups[g.Name]; found {
		return errorf(codeExists, "The specified log group already exists")
	}
	l.addGroup(g)
	return nil
}

func (l *Logs) addGroup(about LogGroup) *logGroup {
	about.ARN, about.Created, about.Tags = l.GroupARN(about.Name), l.now(), maps.Clone(about.Tags)
	g := &logGroup{streams: map[string]*LogStream{}, LogGroup: about}
	l.groups[about.Name] = g
	l.keep(g)
	return g
}

// GroupARN is the ARN that a group of a name has, or would have.
func (l *Logs) GroupARN(name string) string {
	return "arn:aws:logs:" + l.region + ":" + l.account + ":log-group:" + name
}

// Restore takes in the log groups that the journal has, and tells it of every change of a group from then on. Streams and events are
// not kept. It comes before all other calls.
func (l *Logs) Restore(j Journal) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journal = j
	return each(j, func(name string, g LogGroup) {
		g.StoredBytes = 0
		l.groups[name] = &logGroup{streams: map[string]*LogStream{}, LogGroup: g}
	})
}

// keep tells the journal of a group that changed.
func (l *Logs) keep(g *logGroup) {
	if l.journal != nil {
		l.journal.Put(g.Name, g.LogGroup)
	}
}

func (l *Logs) find(group string) (*logGroup, error) {
	if g := l.groups[group]; g != nil {
		return g, nil
	}
	return nil, errorf(codeNotFound, "The specified log group does not exist.")
}

// DeleteGroup removes a log group with its events.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protecting-log-groups-from-deletion.html
func (l *Logs) DeleteGroup(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(name)
	if err != nil {
		return err
	}
	if g.Protected {
		return errorf("ValidationException", "Cannot delete log group with deletion protection enabled. Disable deletion protection first.")
	}
	delete(l.groups, name)
	if l.journal != nil {
		l.journal.Delete(name)
	}
	return nil
}

// Groups gives every log group, ordered by name.
func (l *Logs) Groups() []LogGroup {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []LogGroup
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		g := l.groups[name]
		g.expire(l.now())
		snapshot := g.LogGroup
		snapshot.Tags = maps.Clone(g.Tags)
		all = append(all, snapshot)
	}
	return all
}

// Group gives a log group.
func (l *Logs) Group(name string) (LogGroup, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(name)
	if err != nil {
		return LogGroup{}, err
	}
	snapshot := g.LogGroup
	snapshot.Tags = maps.Clone(g.Tags)
	return snapshot, nil
}

// UpdateGroup changes how long a group keeps its events, its key and its protection.
func (l *Logs) UpdateGroup(group string, change func(*LogGroup)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return err
	}
	change(&g.LogGroup)
	l.keep(g)
	g.expire(l.now())
	return nil
}

// GroupTags gives the tags of a group.
func (l *Logs) GroupTags(group string) (map[string]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return nil, err
	}
	return maps.Clone(g.Tags), nil
}

// TagGroup sets tags of a group.
func (l *Logs) TagGroup(group string, tags map[string]string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return err
	}
	all := maps.Clone(g.Tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	if len(all) > MaxTags {
		return errorf("TooManyTagsException", "A resource can have %d tags.", MaxTags)
	}
	g.Tags = all
	l.keep(g)
	return nil
}

// UntagGroup removes tags of a group; keys that it has not are passed over.
func (l *Logs) UntagGroup(group string, keys []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return err
	}
	for _, key := range keys {
		delete(g.Tags, key)
	}
	l.keep(g)
	return nil
}

// CreateStream adds a stream to a group.
func (l *Logs) CreateStream(group, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return err
	}
	if _, found := g.streams[name]; found {
		return errorf(codeExists, "The specified log stream already exists")
	}
	g.addStream(name, l.now())
	return nil
}

func (g *logGroup) addStream(name string, now time.Time) *LogStream {
	s := &LogStream{Name: name, ARN: g.ARN + ":log-stream:" + name, Created: now}
	g.streams[name] = s
	return s
}

func (g *logGroup) findStream(name string) (*LogStream, error) {
	if s := g.streams[name]; s != nil {
		return s, nil
	}
	return nil, errorf(codeNotFound, "The specified log stream does not exist.")
}

// DeleteStream removes a stream with its events.
func (l *Logs) DeleteStream(group, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return err
	}
	if _, err := g.findStream(name); err != nil {
		return err
	}
	delete(g.streams, name)
	g.remove(func(e LogEvent) bool { return e.Stream == name })
	return nil
}

// Streams gives the streams of a group, ordered by name.
func (l *Logs) Streams(group string) ([]LogStream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return nil, err
	}
	var all []LogStream
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		all = append(all, *g.streams[name])
	}
	return all, nil
}

package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Locks has a lock for each name of a table. The tables of one name share it in all regions that share the Locks, so that the replicas of
// a global table change together.
type Locks struct {
	mu     sync.Mutex
	byName map[string]*sync.RWMutex
}

// NewLocks gives locks of no names.
func NewLocks() *Locks { return &Locks{byName: map[string]*sync.RWMutex{}} }

func (l *Locks) of(name string) *sync.RWMutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName[name] == nil {
		l.byName[name] = &sync.RWMutex{}
	}
	return l.byName[name]
}

// globalTable is a table with replicas in several regions. Whoever writes to one of them writes to all under their one lock: a write is
// everywhere when it is acknowledged, and no two ever meet. On AWS that is so where the consistency is strong, else replicas follow within
// a second. It never changes; the tables' lock guards which one a table has.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
type globalTable struct {
	strong  bool
	members []*table // by region; two at least
}

// Replica is a replica of a global table, or what is asked of one.
type Replica struct {
	Region string
	// Key is the key of KMS that encrypts it; "" for the one that DynamoDB owns, or for no change.
	Key string
	// Class is the table's class, "" for that of the table that it is made of, or for no change.
	Class string
}

// Global tells of a global table; it is zero for a table in one region.
type Global struct {
	// Strong is consistency STRONG, else it is EVENTUAL.
	Strong bool
	// Replicas are the others, by region.
	Replicas []Replica
}

// UpdateReplicas describes changes of a table's replicas.
type UpdateReplicas struct {
	Table          string
	Create, Update []Replica
	Delete         []string
	// Strong asks for the consistency STRONG of a new global table.
	Strong bool
}

// strongRegions are the sets of regions of which one has all three replicas of a global table with consistency STRONG.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html#V2globaltables_HowItWorks.consistency-modes.mrsc
func strongRegions() [][]string {
	return [][]string{
		{"us-east-1", "us-east-2", "us-west-2"},
		{"eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"},
		{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
	}
}

func noReplica() error {
	return validation("Replica specified in the Replica Update or Replica Delete action of the request was not found")
}

// UpdateReplicas makes all the changes or none. New replicas have all items when it returns, and the streams of those that are deleted stay
// readable for a day.
func (e *Engine) UpdateReplicas(u UpdateReplicas) (d Description, err error) {
	engines, unlock, err := e.lockPeers(u)
	if err != nil {
		return d, err
	}
	defer unlock()
	t, found := e.tables[e.named(u.Table)]
	if !found {
		return d, e.absent(u.Table, noTable)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.checkReplicas(u, engines); err != nil {
		return d, err
	}
	defer begin(t.journal)()
	strong := u.Strong
	members := []*table{t}
	if t.global != nil {
		strong, members = t.global.strong, slices.Clone(t.global.members)
	}
	for _, r := range u.Delete {
		i := slices.IndexFunc(members, func(m *table) bool { return m.home.options.Region == r })
		members[i].home.remove(members[i])
		members = slices.Delete(members, i, i+1)
	}
	if len(u.Create) > 0 && !strong && t.view == "" {
		e.openStream(t, "NEW_AND_OLD_IMAGES") // as AWS does by itself
	}
	for _, r := range u.Create {
		members = append(members, engines[r.Region].addReplica(t, r, strong))
	}
	for _, r := range u.Update {
		m := members[slices.IndexFunc(members, func(m *table) bool { return m.home.options.Region == r.Region })]
		m.settings = m.settings.clone()
		m.settings.replicate(m.home, r)
	}
	join(members, strong)
	return t.describe(e.options.Clock.Now()), nil
}

// join makes tables the members of one global table, and a single one a table of its region alone. The caller holds their lock.
func join(members []*table, strong bool) {
	g := newGlobalTable(members, strong)
	for _, m := range members {
		m.global = g
		m.keep()
	}
}

// newGlobalTable is nil for a single table.
func newGlobalTable(members []*table, strong bool) *globalTable {
	if len(members) < 2 {
		return nil
	}
	slices.SortFunc(members, func(a, b *table) int { return strings.Compare(a.home.options.Region, b.home.options.Region) })
	return &globalTable{strong: strong, members: members}
}

// lockPeers locks the engines of the regions that an update is about, and of those that have replicas already, in the order of the regions.
func (e *Engine) lockPeers(u UpdateReplicas) (engines map[string]*Engine, unlock func(), err error) {
	engines = map[string]*Engine{e.options.Region: e}
	for _, r := range u.Create {
		if engines[r.Region] != nil {
			continue
		}
		if e.options.Peer == nil {
			return nil, nil, validation("streamgen local does not emulate replicas here: this stack has the region %s alone", e.options.Region)
		}
		if engines[r.Region], err = e.options.Peer(r.Region); err != nil {
			return nil, nil, err
		}
	}
	err = e.inspect(u.Table, noTable, func(t *table) error {
		if t.global != nil {
			for _, m := range t.global.members {
				engines[m.home.options.Region] = m.home
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	order := slices.Sorted(maps.Keys(engines))
	for _, region := range order {
		engines[region].mu.Lock()
	}
	return engines, func() {
		for _, region := range order {
			engines[region].mu.Unlock()
		}
	}, nil
}

// checkReplicas refuses what an update may not do. engines are those whose tables are locked.
func (t *table) checkReplicas(u UpdateReplicas, engines map[string]*Engine) error {
	regions := map[string]bool{t.home.options.Region: true}
	if t.global != nil {
		for _, m := range t.global.members {
			if engines[m.home.options.Region] != m.home {
				return fail("ResourceInUseException", "Table is being updated: %s", t.name) // by another, between the looks at it
			}
			regions[m.home.options.Region] = true
		}
	}
	own := t.home.options.Region
	seen := map[string]bool{}
	known := func(region string) error {
		switch {
		case region == own:
			return validation("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
		case seen[region]:
			return validation(invalidParameters+"Only one replica update per region is allowed: %s", region)
		}
		seen[region] = true
		return nil
	}
	for _, r := range u.Create {
		if err := known(r.Region); err != nil {
			return err
		}
		if _, taken := engines[r.Region].tables[t.name]; taken {
			return validation("Failed to create a the new replica of table with name: '%s' because one or more replicas already existed as tables.", t.name)
		}
	}
	for _, region := range u.named() {
		if err := known(region); err != nil {
			return err
		}
		if !regions[region] {
			return noReplica()
		}
	}
	for _, region := range u.Delete {
		if engines[region].tables[t.name].settings.DeletionProtection {
			return deletionProtected()
		}
		delete(regions, region)
	}
	for _, r := range u.Create {
		regions[r.Region] = true
	}
	return t.checkConsistency(u, regions)
}

// named are the regions of replicas that must be there.
func (u UpdateReplicas) named() []string {
	all := slices.Clone(u.Delete)
	for _, r := range u.Update {
		all = append(all, r.Region)
	}
	return all
}

// checkConsistency refuses what the consistency does not allow; regions are those after the update.
func (t *table) checkConsistency(u UpdateReplicas, regions map[string]bool) error {
	switch {
	case t.global != nil && u.Strong != t.global.strong && len(u.Create) > 0:
		return validation(invalidParameters + "MultiRegionConsistency cannot be changed for an existing global table")
	case t.strong(), u.Strong:
		return t.checkStrong(u, regions)
	case len(u.Create) > 0 && t.view != "" && t.view != "NEW_AND_OLD_IMAGES":
		return validation(invalidParameters+"a global table's stream has the view type NEW_AND_OLD_IMAGES, not %s", t.view)
	}
	return nil
}

func (t *table) checkStrong(u UpdateReplicas, regions map[string]bool) error {
	oneSet := slices.ContainsFunc(strongRegions(), func(set []string) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(regions)), func(region string) bool { return !slices.Contains(set, region) })
	})
	switch {
	case len(regions) != 3 && (len(regions) != 1 || len(u.Delete) != 2):
		return validation("Unsupported table replica count for global tables with MultiRegionConsistency set to STRONG")
	case len(regions) == 3 && !oneSet:
		return validation("Unsupported regions for global tables with MultiRegionConsistency set to STRONG: %s are not of one Region set", strings.Join(slices.Sorted(maps.Keys(regions)), ", "))
	case len(u.Create) == 0:
		return nil
	case t.items.len() > 0:
		return validation("The table must be empty for a global table with MultiRegionConsistency set to STRONG")
	case t.settings.TimeToLive != "":
		return validation("Time to Live is not supported for global tables with MultiRegionConsistency set to STRONG")
	case slices.ContainsFunc(t.schema.indexes, func(ix Index) bool { return ix.Local }):
		return validation("Local secondary indexes are not supported for global tables with MultiRegionConsistency set to STRONG")
	}
	return nil
}

// addReplica makes a replica of a table with all its items. The caller holds e.mu and the tables' lock.
func (e *Engine) addReplica(of *table, r Replica, strong bool) *table {
	settings := Settings{
		Capacity: of.settings.Capacity, Indexes: cloned(of.settings.Indexes), OnDemand: of.settings.OnDemand, OnDemandSince: of.settings.OnDemandSince,
		Class: Class{Name: of.settings.Class.Name}, TimeToLive: of.settings.TimeToLive,
	}
	settings.replicate(e, r)
	t := e.newTable(of.name, of.schema, settings)
	for key, item := range of.items.ascend("", "") {
		t.items.set(key, item)
		t.bytes += item.Size()
		t.rememberExpiry(key, item)
	}
	t.reindex("")
	if !strong { // where the consistency is strong, each replica's stream is a matter of its own
		e.openStream(t, of.view)
	}
	e.add(t)
	if settings.TimeToLive != "" {
		e.startExpiry()
	}
	return t
}

// replicate takes over what is asked of a replica of e's.
func (s *Settings) replicate(e *Engine, r Replica) {
	if r.Key != "" {
		s.Encryption = e.encryption(Encryption{Enabled: true, Key: r.Key})
	}
	if r.Class != "" {
		s.Class = Class{Name: r.Class, Changed: e.options.Clock.Now()}
	}
}

// settle gives the other replicas what they have in common with t. The caller holds their lock.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html#V2globaltables_HowItWorks.setting-synchronization
func (t *table) settle() {
	for _, m := range t.siblings() {
		same := slices.EqualFunc(m.schema.indexes, t.schema.indexes, func(a, b Index) bool { return a.Name == b.Name })
		expires := m.settings.TimeToLive == t.settings.TimeToLive
		m.schema, m.settings = t.schema.clone(), m.settings.clone()
		m.settings.Capacity, m.settings.Indexes = t.settings.Capacity, cloned(t.settings.Indexes)
		m.settings.OnDemand, m.settings.OnDemandSince, m.settings.TimeToLive = t.settings.OnDemand, t.settings.OnDemandSince, t.settings.TimeToLive
		if !same {
			m.indexes = nil
			m.reindex("")
		}
		if !expires {
			m.rememberExpiries()
		}
		m.keep()
	}
}

// siblings are the other replicas of a table.
func (t *table) siblings() []*table {
	if t.global == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.global.members), func(m *table) bool { return m == t })
}

// leave takes a table out of its global table; it says why that cannot be. The caller holds the tables' lock and has begun a change.
func (t *table) leave() error {
	if t.global == nil {
		return nil
	}
	if t.global.strong {
		return validation("Unsupported table replica count for global tables with MultiRegionConsistency set to STRONG")
	}
	join(t.siblings(), false)
	t.global = nil
	return nil
}

// strong says whether a table is a replica with consistency STRONG.
func (t *table) strong() bool { return t.global != nil && t.global.strong }

// replicas tells of the others.
func (t *table) replicas() (g Global) {
	for _, m := range t.siblings() {
		g.Strong = t.global.strong
		g.Replicas = append(g.Replicas, Replica{Region: m.home.options.Region, Key: m.settings.Encryption.Key, Class: m.settings.Class.Name})
	}
	return g
}

// GlobalState is what a journal keeps of a global table with each of its replicas.
type GlobalState struct {
	Strong bool
	// Regions are those of all replicas.
	Regions []string
}

func (t *table) globalState() *GlobalState {
	if t.global == nil {
		return nil
	}
	state := &GlobalState{Strong: t.global.strong}
	for _, m := range t.global.members {
		state.Regions = append(state.Regions, m.home.options.Region)
	}
	return state
}

// Link joins the replicas of engines that were reopened, and begins to delete what expires. It comes before anything else is done with them.
func Link(engines ...*Engine) {
	type half struct {
		strong  bool
		members []*table
	}
	global := map[string]*half{}
	for _, e := range engines {
		expires := false
		for _, t := range e.tables {
			expires = expires || t.settings.TimeToLive != ""
			if t.kept == nil {
				continue
			}
			if global[t.name] == nil {
				global[t.name] = &half{strong: t.kept.Strong}
			}
			global[t.name].members = append(global[t.name].members, t)
			t.kept = nil
		}
		if expires {
			e.startExpiry()
		}
	}
	for _, h := range global {
		g := newGlobalTable(h.members, h.strong)
		for _, m := range h.members {
			m.global = g
		}
	}
}

// Leave takes all tables out of their global tables: the replicas of the other regions go on without this one.
func (e *Engine) Leave() {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, t := range e.tables {
		t.mu.Lock()
		if t.global != nil {
			end := begin(t.journal)
			join(t.siblings(), t.global.strong)
			t.global = nil
			end()
		}
		t.mu.Unlock()
	}
}

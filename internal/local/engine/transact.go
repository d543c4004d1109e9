package engine

import (
	"errors"
	"maps"
	"slices"
	"time"

	"streamgen/internal/local/attr"
)

// Limits of transactions. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
const (
	maxTransaction = 4 << 20 // bytes of all items
	// tokenLife is how long a transaction's token keeps it from being made again.
	tokenLife = 10 * time.Minute
)

// Check lets a transaction depend on an item that it does not write.
type Check struct {
	Write
	Key attr.Item
}

func (c Check) locate(s *schema) (string, error) { return s.locate(c.Key, nil, c.Condition) }

func (Check) next(_ *schema, old attr.Item) (attr.Item, error) { return old, nil }

// Token is a transaction's ClientRequestToken.
type Token struct {
	// Name is the token; "" for none.
	Name string
	// Request tells requests apart.
	Request [32]byte
}

// Transaction is a list of writes and checks, of which all are made or none.
type Transaction struct {
	actions []action
	Token   Token
}

// Put adds a put to the transaction, as Update, Delete and Check add the others.
func (x *Transaction) Put(p Put) { x.actions = append(x.actions, p) }

// Update adds an update.
func (x *Transaction) Update(u Update) { x.actions = append(x.actions, u) }

// Delete adds a deletion.
func (x *Transaction) Delete(d Delete) { x.actions = append(x.actions, d) }

// Check adds a condition on an item that is not written.
func (x *Transaction) Check(c Check) { x.actions = append(x.actions, c) }

// Transacted is what a transaction did.
type Transacted struct {
	// Consumed is the capacity by table, in the order of the tables' names. Read says that it was taken by reading alone: the
	// transaction of that token was made before.
	Consumed []Consumed
	Read     bool
	// Collections of the items, by table, as far as the request asks for them.
	Collections map[string][]Collection
}

// Reason is why an action of a transaction keeps it from being made, or what it was when it was not the reason.
type Reason struct {
	// Code is "None", "ConditionalCheckFailed" or "ValidationError".
	Code    string
	Message string
	// Item is the item that a condition failed on, where the action asks for it.
	Item attr.Item
}

// doneTransaction is what is remembered of a transaction with a token.
type doneTransaction struct {
	request [32]byte
	at      time.Time
	reads   []Consumed
}

// TransactWrite makes all of a transaction or nothing. An action whose condition fails, or that its table or its item does not allow,
// cancels it: a TransactionCanceledException with a reason for each action.
func (e *Engine) TransactWrite(x Transaction) (out Transacted, err error) {
	e.transactions.Lock() // a token's second request must find out how the first one ended
	defer e.transactions.Unlock()
	now := e.options.Clock.Now()
	if done, again := e.madeBefore(x.Token, now); again {
		if done.request != x.Token.Request {
			return out, fail("IdempotentParameterMismatchException", "Request parameters are different from those of an earlier request with the same token.")
		}
		return Transacted{Consumed: done.reads, Read: true}, nil
	}
	tables, unlock, err := e.lockAll(x.tables(), (*table).lock)
	if err != nil {
		return out, err
	}
	defer unlock()
	defer begin(e.options.Journal)()
	writes, err := stageAll(tables, x.actions)
	if err != nil {
		return out, err
	}
	var took, reads []Consumed
	out.Collections = map[string][]Collection{}
	for i, a := range x.actions {
		t := tables[a.write().Table]
		read := Consumed{Table: t.name, Units: readUnits(max(writes[i].old.Size(), writes[i].item.Size()), true)}
		reads = append(reads, read.times(2))
		took = append(took, t.commit(writes[i], now).times(2))
	}
	for i, a := range x.actions {
		t := tables[a.write().Table]
		if c := t.collection(a, writes[i]); c.Key != nil {
			out.Collections[t.name] = append(out.Collections[t.name], c)
		}
	}
	if x.Token.Name != "" {
		e.tokens[x.Token.Name] = doneTransaction{request: x.Token.Request, at: now, reads: byTable(reads)}
		e.tokenNames = append(e.tokenNames, x.Token.Name)
	}
	out.Consumed = byTable(took)
	return out, nil
}

// madeBefore gives the transaction that was made with the token, and forgets those that are too old.
func (e *Engine) madeBefore(t Token, now time.Time) (doneTransaction, bool) {
	if t.Name == "" {
		return doneTransaction{}, false
	}
	for len(e.tokenNames) > 0 && now.Sub(e.tokens[e.tokenNames[0]].at) >= tokenLife {
		delete(e.tokens, e.tokenNames[0])
		e.tokenNames = e.tokenNames[1:]
	}
	done, found := e.tokens[t.Name]
	return done, found
}

func (x *Transaction) tables() []string {
	var all []string
	for _, a := range x.actions {
		all = append(all, a.write().Table)
	}
	return all
}

// stageAll stages all the actions or says why that cannot be.
func stageAll(tables map[string]*table, actions []action) ([]staged, error) {
	writes := make([]staged, len(actions))
	reasons := make([]Reason, len(actions))
	seen := map[[2]string]bool{}
	canceled, size := false, 0
	for i, a := range actions {
		t := tables[a.write().Table]
		var err error
		writes[i], err = t.stage(a)
		if at := [2]string{t.name, writes[i].key}; writes[i].key != "" && seen[at] {
			return nil, validation("Transaction request cannot include multiple operations on one item")
		} else {
			seen[at] = true
		}
		reasons[i] = reasonOf(err)
		canceled = canceled || err != nil
		size += writes[i].item.Size()
	}
	if canceled {
		return nil, canceledBy(reasons)
	}
	if size > maxTransaction {
		return nil, validation("Transaction request cannot include items of more than 4 MB together")
	}
	return writes, nil
}

// reasonOf makes an action's error a reason.
func reasonOf(err error) Reason {
	var e *Error
	switch {
	case err == nil:
		return Reason{Code: "None"}
	case !errors.As(err, &e):
		return Reason{Code: "ValidationError", Message: err.Error()}
	case e.Code == conditionFailed:
		return Reason{Code: "ConditionalCheckFailed", Message: e.Message, Item: e.Item}
	default:
		return Reason{Code: "ValidationError", Message: e.Message}
	}
}

func canceledBy(reasons []Reason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return &Error{
		Code:    "TransactionCanceledException",
		Message: "Transaction cancelled, please refer cancellation reasons for specific reasons " + list(codes),
		Reasons: reasons,
	}
}

// TransactGet reads items as they are at one moment.
func (e *Engine) TransactGet(gets []Get) ([]Got, []Consumed, error) {
	names := make([]string, len(gets))
	for i, g := range gets {
		names[i] = g.Table
	}
	tables, unlock, err := e.lockAll(names, (*table).rlock)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	all, reasons := make([]Got, len(gets)), make([]Reason, len(gets))
	canceled, size := false, 0
	var took []Consumed
	for i, g := range gets {
		g.Consistent = true
		all[i], err = tables[g.Table].get(g)
		reasons[i] = reasonOf(err)
		canceled = canceled || err != nil
		size += all[i].size
		took = append(took, all[i].Consumed.times(2))
	}
	if canceled {
		return nil, nil, canceledBy(reasons)
	}
	if size > maxTransaction {
		return nil, nil, validation("Transaction request cannot include items of more than 4 MB together")
	}
	return all, byTable(took), nil
}

// lock and rlock lock a table for writing and for reading.
func (t *table) lock() (unlock func())  { t.mu.Lock(); return t.mu.Unlock }
func (t *table) rlock() (unlock func()) { t.mu.RLock(); return t.mu.RUnlock }

// lockAll locks tables in the order of their names, so that no two wait for each other. All are looked up before the first is locked:
// whoever deletes one holds the engine's lock and waits for the table's.
func (e *Engine) lockAll(names []string, lock func(*table) func()) (tables map[string]*table, unlock func(), err error) {
	tables = map[string]*table{}
	each := map[string]*table{} // a table may be meant by its name and by its ARN
	for _, name := range names {
		t, found := e.lookup(name)
		if !found {
			return nil, nil, e.absent(name, noItems)
		}
		tables[name], each[t.name] = t, t
	}
	var unlocks []func()
	unlock = func() {
		for _, u := range unlocks {
			u()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(each)) {
		unlocks = append(unlocks, lock(each[name]))
		if each[name].deleted {
			unlock()
			return nil, nil, noItems(name)
		}
		if each[name].strong() {
			unlock()
			return nil, nil, validation("Transactions are not supported for global tables with MultiRegionConsistency set to STRONG")
		}
	}
	return tables, unlock, nil
}

// byTable sums what was taken by table, in the order of their names.
func byTable(list []Consumed) []Consumed {
	sums := map[string]Consumed{}
	for _, c := range list {
		sums[c.Table] = sums[c.Table].Add(c)
	}
	out := make([]Consumed, 0, len(sums))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, sums[name])
	}
	return out
}

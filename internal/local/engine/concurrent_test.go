package engine

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
)

// tapes opens a recorder for each stream and keeps all of them.
type tapes struct {
	mu  sync.Mutex
	all map[string][]*recorder // by table
}

func (ts *tapes) Open(of StreamTable) Stream {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	r := &recorder{got: make(chan struct{}, 1)}
	ts.all[of.Name] = append(ts.all[of.Name], r)
	return r
}

const (
	accounts = 8
	opening  = 100 // what is on each account in the beginning
	tokens   = 20
)

// bank is two tables with the same accounts, which transactions change together, beside items that single writes change. Both indexes
// of a table are sorted by what is on an account, so each transfer moves items in them.
type bank struct {
	*testing.T
	*Engine
	streams *tapes
}

var ledgers = [2]string{"ledger", "mirror"}

func newBank(t *testing.T) *bank {
	streams := &tapes{all: map[string][]*recorder{}}
	b := &bank{T: t, streams: streams, Engine: New(Options{Account: "000000000000", Region: "us-east-1", Clock: clock.NewManual(start), Streams: streams})}
	t.Cleanup(b.Close)
	for _, name := range ledgers {
		if _, err := b.CreateTable(tableOf(name)); err != nil {
			t.Fatal(err)
		}
		for i := range accounts {
			if _, err := b.Put(Put{Write: Write{Table: name}, Item: b.account(i, attr.Item{"kind": attr.String("account"), "balance": number(t, opening)})}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func tableOf(name string) CreateTable {
	return CreateTable{
		Name:       name,
		Attributes: []AttributeDefinition{{"pk", attr.S}, {"sk", attr.N}, {"kind", attr.S}, {"balance", attr.N}},
		Keys:       []KeyElement{{"pk", Hash}, {"sk", Range}},
		Indexes: []Index{
			{Name: "global", Keys: []KeyElement{{"kind", Hash}, {"balance", Range}}, Projection: Projection{Type: "ALL"}},
			{Name: "local", Local: true, Keys: []KeyElement{{"pk", Hash}, {"balance", Range}}, Projection: Projection{Type: "KEYS_ONLY"}},
		},
		View: "NEW_AND_OLD_IMAGES",
	}
}

// account is the key of an account, with more attributes.
func (b *bank) account(i int, more attr.Item) attr.Item {
	it := attr.Item{"pk": attr.String("bank"), "sk": number(b.T, i)}
	maps.Copy(it, more)
	return it
}

func (b *bank) expect(err error, codes ...string) {
	var failed *Error
	if err != nil && (!errors.As(err, &failed) || !slices.Contains(codes, failed.Code)) {
		b.Errorf("error %v, want none or one of %v", err, codes)
	}
}

// transfer moves an amount in both tables, if there is enough. A doomed one has a condition that fails, after writes that would be seen.
func (b *bank) transfer(r *rand.Rand, doomed bool) {
	from := r.IntN(accounts)
	to := (from + 1 + r.IntN(accounts-2)) % accounts
	amount := 1 + r.IntN(40)
	var x Transaction
	for _, name := range ledgers {
		change, values := "ADD balance :minus", fmt.Sprintf(`{":minus":{"N":"-%d"}}`, amount)
		if doomed {
			change += " SET ghost = balance"
		}
		plus := fmt.Sprintf(`{":n":{"N":"%d"}}`, amount)
		x.Update(Update{Write: Write{Table: name, Condition: condition(b.T, "balance >= :n", plus)}, Key: b.account(from, nil), Update: update(b.T, change, values)})
		x.Update(Update{Write: Write{Table: name}, Key: b.account(to, nil), Update: update(b.T, "ADD balance :n", plus)})
	}
	holds := "attribute_exists(pk)"
	if doomed {
		holds = "attribute_not_exists(pk)"
	}
	third := (from + accounts - 1) % accounts
	x.Check(Check{Write: Write{Table: ledgers[1], Condition: condition(b.T, holds, "")}, Key: b.account(third, nil)})
	if r.IntN(4) == 0 { // a table that comes and goes
		x.Put(Put{Write: Write{Table: "passing"}, Item: b.account(from, nil)})
	}
	_, err := b.TransactWrite(x)
	b.expect(err, "TransactionCanceledException", "ResourceNotFoundException")
	if doomed && err == nil {
		b.Error("a transaction was made whose condition does not hold")
	}
}

// noise writes items beside the accounts, one by one and in batches.
func (b *bank) noise(r *rand.Rand) {
	key := func() attr.Item { return attr.Item{"pk": attr.String("noise"), "sk": number(b.T, r.IntN(6))} }
	whole := func() attr.Item {
		it := key()
		if r.IntN(3) > 0 {
			it["kind"] = attr.String([]string{"x", "y"}[r.IntN(2)])
		}
		if r.IntN(3) > 0 {
			it["balance"] = number(b.T, r.IntN(3))
		}
		return it
	}
	w := Write{Table: ledgers[r.IntN(2)]}
	if r.IntN(3) == 0 {
		w.Condition = condition(b.T, []string{"attribute_exists(kind)", "attribute_not_exists(kind)", "balance > sk"}[r.IntN(3)], "")
	}
	var err error
	switch r.IntN(5) {
	case 0:
		_, err = b.Put(Put{Write: w, Item: whole()})
	case 1:
		_, err = b.Delete(Delete{Write: w, Key: key()})
	case 2:
		_, err = b.Update(Update{Write: w, Key: key(), Update: update(b.T, "ADD balance :n", `{":n":{"N":"1"}}`)})
	case 3:
		_, err = b.Update(Update{Write: w, Key: key(), Update: update(b.T, "REMOVE kind", "")})
	default:
		first, second := whole(), key()
		if first["sk"].Equal(second["sk"]) {
			return
		}
		_, err = b.BatchWrite(map[string][]BatchItem{ledgers[0]: {{Item: first}, {Key: second}}, ledgers[1]: {{Key: second}, {Item: first}}}, false)
	}
	b.expect(err, "ConditionalCheckFailedException")
}

// once makes transactions of which others make the same, too, with the same tokens.
func (b *bank) once(r *rand.Rand) {
	n := r.IntN(tokens)
	x := Transaction{Token: Token{Name: fmt.Sprint("token-", n), Request: [32]byte{byte(n)}}}
	for _, name := range ledgers {
		x.Update(Update{Write: Write{Table: name}, Key: attr.Item{"pk": attr.String("hits"), "sk": number(b.T, n)}, Update: update(b.T, "ADD hits :one", `{":one":{"N":"1"}}`)})
	}
	_, err := b.TransactWrite(x)
	b.expect(err)
	x.Token.Request[1]++
	if _, err := b.TransactWrite(x); err == nil {
		b.Error("a token was taken for two requests")
	} else {
		b.expect(err, "IdempotentParameterMismatchException")
	}
}

// reshape makes, changes and deletes a table that transactions write.
func (b *bank) reshape(r *rand.Rand) {
	var err error
	switch r.IntN(4) {
	case 0:
		_, err = b.CreateTable(CreateTable{Name: "passing", Attributes: tableOf("").Attributes[:2], Keys: tableOf("").Keys, View: "KEYS_ONLY"})
	case 1:
		_, err = b.DeleteTable("passing")
	case 2:
		global := tableOf("").Indexes[0]
		_, err = b.UpdateTable(UpdateTable{Name: "passing", Attributes: tableOf("").Attributes, CreateIndex: &global})
	default:
		_, err = b.UpdateTable(UpdateTable{Name: "passing", DeleteIndex: "global"})
	}
	b.expect(err, "ResourceNotFoundException", "ResourceInUseException", "ValidationException")
}

// snapshot wants all that can be seen at one moment to be as transactions leave it.
func (b *bank) snapshot(r *rand.Rand) {
	var gets []Get
	for i := range accounts {
		for _, name := range ledgers {
			gets = append(gets, Get{Table: name, Key: b.account(i, nil)})
		}
	}
	got, _, err := b.TransactGet(gets)
	b.expect(err)
	var own []attr.Item
	for i := 0; i < len(got); i += 2 {
		own = append(own, got[i].Item)
		if !got[i].Item.Equal(got[i+1].Item) {
			b.Errorf("half of a transaction: %v and %v", got[i].Item, got[i+1].Item)
		}
	}
	b.checkSum("TransactGet", own)

	read := Read{Table: ledgers[r.IntN(2)]}
	page, err := b.Scan(Scan{Read: read})
	b.expect(err)
	b.checkSum("Scan", page.Items)
	for index, hash := range map[string]string{"": "pk = :h", "global": "kind = :h", "local": "pk = :h"} {
		read.Index = index
		values := attr.Item{":h": attr.String(map[bool]string{true: "account", false: "bank"}[index == "global"])}
		page, err := b.Query(Query{Read: read, Key: keyTests(b.T, hash, values)})
		b.expect(err)
		b.checkSum("Query of index "+index, page.Items)
	}
}

func (b *bank) checkSum(what string, items []attr.Item) {
	sum, count := 0, 0
	for _, it := range items {
		if it["pk"].Text() != "bank" {
			continue
		}
		n, err := strconv.Atoi(it["balance"].Text())
		if err != nil || n < 0 {
			b.Errorf("%s: balance %v", what, it["balance"])
		}
		sum += n
		count++
	}
	if sum != accounts*opening || count != accounts {
		b.Errorf("%s: %d accounts with %d", what, count, sum)
	}
}

// checkStream wants the stream's records, made again, to give the table, each with the image that the one before it left.
func (b *bank) checkStream(name string) (records int) {
	state := map[string]attr.Item{}
	for _, c := range b.streams.all[name][0].take() {
		records++
		at := c.Keys["pk"].Text() + " " + c.Keys["sk"].Text()
		if before := state[at]; (before == nil) != (c.Old == nil) || !before.Equal(c.Old) || (c.Kind == Insert) != (c.Old == nil) || (c.Kind == Remove) != (c.New == nil) {
			b.Errorf("%s %s: after %v comes %+v", name, at, before, c)
		}
		for _, image := range []attr.Item{c.Old, c.New} {
			if _, ghost := image["ghost"]; ghost {
				b.Errorf("%s: a canceled transaction left %+v", name, c)
			}
		}
		if state[at] = c.New; c.New == nil {
			delete(state, at)
		}
	}
	items := readAll(b.T, func(start attr.Item) (Page, error) {
		return b.Scan(Scan{Read: Read{Table: name, Limit: 5, Start: start}})
	})
	if len(items) != len(state) {
		b.Errorf("%s has %d items, its stream %d", name, len(items), len(state))
	}
	for _, it := range items {
		if at := it["pk"].Text() + " " + it["sk"].Text(); !state[at].Equal(it) {
			b.Errorf("%s: %v in the table, %v in the stream", name, it, state[at])
		}
	}
	b.checkIndexes(name, items)
	return records
}

// checkIndexes wants each index to hold what projecting the table's items gives.
func (b *bank) checkIndexes(name string, items []attr.Item) {
	for _, ix := range tableOf(name).Indexes {
		want := map[string]bool{}
		for _, it := range items {
			if it[ix.Keys[0].Name].IsZero() || it[ix.Keys[1].Name].IsZero() {
				continue
			}
			if ix.Projection.Type == "KEYS_ONLY" {
				it = it.Pick("pk", "sk", "balance")
			}
			want[string(it.AppendJSON(nil))] = true
		}
		held := readAll(b.T, func(start attr.Item) (Page, error) {
			return b.Scan(Scan{Read: Read{Table: name, Index: ix.Name, Limit: 5, Start: start}})
		})
		for _, it := range held {
			if !want[string(it.AppendJSON(nil))] {
				b.Errorf("%s: index %s holds %v", name, ix.Name, it)
			}
		}
		if len(held) != len(want) {
			b.Errorf("%s: index %s holds %d items, want %d", name, ix.Name, len(held), len(want))
		}
	}
}

// Whatever runs beside them, transactions are whole or absent for every reader, and streams and indexes follow each change.
func TestConcurrentWriters(t *testing.T) {
	hung := time.AfterFunc(time.Minute, func() { panic("the writers wait for each other") })
	defer hung.Stop()
	b := newBank(t)
	var all sync.WaitGroup
	for i, work := range []func(*rand.Rand){
		func(r *rand.Rand) { b.transfer(r, false) }, func(r *rand.Rand) { b.transfer(r, false) }, func(r *rand.Rand) { b.transfer(r, true) },
		b.noise, b.noise, b.noise, b.once, b.once, b.reshape, b.reshape, b.snapshot, b.snapshot,
	} {
		all.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(i)))
			for range 200 {
				work(r)
			}
		})
	}
	all.Wait()
	b.snapshot(rand.New(rand.NewPCG(4, 4)))
	for _, name := range ledgers {
		if records := b.checkStream(name); records < 500 {
			t.Errorf("only %d changes of %s: the test shows little", records, name)
		}
		for n := range tokens {
			got, err := b.Get(Get{Table: name, Key: attr.Item{"pk": attr.String("hits"), "sk": number(t, n)}})
			if err != nil || got.Item["hits"].Text() != "1" {
				t.Errorf("token %d was applied %v times, %v", n, got.Item["hits"], err)
			}
		}
	}
}

package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/streams"
)

var began = time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)

// world is a region's tables and streams over a data folder.
type world struct {
	t       *testing.T
	dir     string
	clock   *clock.Manual
	folder  *durable.Folder
	streams *streams.Registry
	tables  *engine.Engine
}

func openWorld(t *testing.T, dir string, c *clock.Manual) *world {
	t.Helper()
	folder, err := durable.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, clock: c, folder: folder}
	s := &Stack{opts: Options{Clock: c}, folder: folder}
	if w.streams, w.tables, err = s.restoreTables("eu-west-1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.tables.Close()
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// log is the log as a crash at this moment would leave it.
func (w *world) log() []byte {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// again is what comes of a log after a crash.
func (w *world) again(log []byte) *world {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), log, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return openWorld(w.t, dir, w.clock)
}

func (w *world) wait() {
	w.t.Helper()
	if err := w.folder.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// show tells all there is of tables, items and streams.
func (w *world) show() string {
	w.t.Helper()
	type shown struct {
		engine.Description
		Contents []attr.Item
		TTL      string
		Tags     map[string]string
		Recovery engine.Recovery
	}
	all := struct {
		Tables  []shown
		Backups []engine.Backup
		Streams []streams.StreamState
	}{Backups: w.tables.ListBackups(""), Streams: w.streams.State()}
	names, _ := w.tables.ListTables("", 100)
	for _, name := range names {
		d, err := w.tables.DescribeTable(name)
		if err != nil {
			w.t.Fatal(err)
		}
		s := shown{Description: d}
		page, err := w.tables.Scan(engine.Scan{Read: engine.Read{Table: name}})
		if err != nil {
			w.t.Fatal(err)
		}
		s.Contents = page.Items
		s.TTL, _ = w.tables.TimeToLive(name)
		s.Tags, _ = w.tables.Tags(d.ARN)
		s.Recovery, _ = w.tables.PointInTimeRecovery(name)
		all.Tables = append(all.Tables, s)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func number(n int) attr.Value {
	v, _ := attr.Number(fmt.Sprint(n)) // of an int: cannot fail
	return v
}

// step does something at random. What the engine refuses counts as well: it must leave nothing.
func (w *world) step(r *rand.Rand) {
	w.t.Helper()
	w.clock.Advance(time.Duration(r.IntN(3)) * time.Millisecond)
	table := fmt.Sprintf("T%d", r.IntN(2))
	write := engine.Write{Table: table}
	key := attr.Item{"id": number(r.IntN(8))}
	var err error
	switch n := r.IntN(40); {
	case n == 0:
		_, err = w.tables.DeleteTable(table)
	case n < 4:
		_, err = w.tables.CreateTable(engine.CreateTable{
			Name: table, Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}}, Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}},
			View: []string{"", "NEW_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"}[r.IntN(4)], Tags: map[string]string{"n": fmt.Sprint(n)},
		})
	case n == 4:
		view := []string{"", "OLD_IMAGE"}[r.IntN(2)]
		_, err = w.tables.UpdateTable(engine.UpdateTable{Name: table, View: &view})
	case n == 5:
		err = w.tables.SetTimeToLive(table, "expires", r.IntN(2) == 0)
	case n == 6:
		_, err = w.tables.SetPointInTimeRecovery(table, r.IntN(2) == 0, 7)
	case n == 11:
		err = w.tables.ChangeTags("arn:aws:dynamodb:eu-west-1:"+Account+":table/"+table, map[string]string{"k": "v"}, []string{"n"})
	case n == 7:
		_, err = w.tables.CreateBackup(table, fmt.Sprint("of ", w.clock.Now()))
	case n == 8:
		err = w.useBackup(r, table)
	case n < 11:
		w.divide(r)
	case n == 12:
		_, err = w.tables.UpdateTable(engine.UpdateTable{Name: table, DeleteIndex: "by-v"})
	case n == 13:
		_, err = w.tables.UpdateTable(engine.UpdateTable{
			Name: table, Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}, {Name: "v", Type: attr.N}},
			CreateIndex: &engine.Index{Name: "by-v", Keys: []engine.KeyElement{{Name: "v", Role: engine.Hash}}, Projection: engine.Projection{Type: "KEYS_ONLY"}},
		})
	case n < 18:
		_, err = w.tables.Delete(engine.Delete{Write: write, Key: key})
	case n < 24:
		_, err = w.tables.Update(w.count(write, key))
	case n < 28:
		var x engine.Transaction
		x.Update(w.count(engine.Write{Table: "T0"}, key))
		x.Update(w.count(engine.Write{Table: "T1"}, key))
		_, err = w.tables.TransactWrite(x)
	default:
		key["v"] = number(r.IntN(3))
		_, err = w.tables.Put(engine.Put{Write: write, Item: key})
	}
	var refused *engine.Error
	if err != nil && !errors.As(err, &refused) {
		w.t.Fatal(err)
	}
}

// count adds one to an item's v.
func (w *world) count(write engine.Write, key attr.Item) engine.Update {
	w.t.Helper()
	values, err := expr.NewSubstitutions(nil, attr.Item{":one": number(1)})
	if err != nil {
		w.t.Fatal(err)
	}
	update, err := expr.ParseUpdate("ADD v :one", values)
	if err != nil {
		w.t.Fatal(err)
	}
	return engine.Update{Write: write, Key: key, Update: update}
}

// useBackup deletes a backup, if there is one, or makes a table of it.
func (w *world) useBackup(r *rand.Rand, table string) error {
	all := w.tables.ListBackups("")
	if len(all) == 0 {
		return nil
	}
	var err error
	if arn := all[r.IntN(len(all))].ARN; r.IntN(3) == 0 {
		_, err = w.tables.DeleteBackup(arn)
	} else {
		_, err = w.tables.RestoreTable(engine.Restore{Backup: arn, Name: table})
	}
	return err
}

// divide closes a shard, if there is one, and opens one or two in its place.
func (w *world) divide(r *rand.Rand) {
	all := w.streams.List("")
	if len(all) == 0 {
		return
	}
	s := all[r.IntN(len(all))]
	shards := s.Shards()
	if len(shards) == 0 {
		return
	}
	id := shards[r.IntN(len(shards))].ID
	if r.IntN(2) == 0 {
		_, _ = s.Roll(id) // a closed one is refused
	} else {
		_, _ = s.Split(id)
	}
}

// A crash at any byte of what was not acknowledged leaves tables, items and streams as they were together at some moment since the last
// acknowledgement, and what was restored goes on.
func TestTablesAfterACrash(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 5))
		w := openWorld(t, t.TempDir(), clock.NewManual(began))
		history := []string{w.show()}
		acknowledged, safe := 0, len(w.log())
		for range 20 + r.IntN(100) {
			w.step(r)
			history = append(history, w.show())
			if r.IntN(6) == 0 {
				w.wait()
				acknowledged, safe = len(history)-1, len(w.log())
			}
		}
		w.wait()
		log := w.log()
		crashed := w.again(log[:safe+r.IntN(len(log)-safe+1)])
		got := crashed.show()
		if !slices.Contains(history[acknowledged:], got) {
			t.Fatalf("seed %d: after the crash there is\n%s\nwhich there never was since the last acknowledgement, when there was\n%s", seed, got, history[acknowledged])
		}
		for range 20 {
			crashed.step(r)
		}
		crashed.wait()
		if got, want := crashed.again(crashed.log()).show(), crashed.show(); got != want {
			t.Fatalf("seed %d: after the second crash there is\n%s\nwant\n%s", seed, got, want)
		}
	}
}

// What a stream keeps for a day is forgotten on the disk too, and the numbers go on where they were.
func TestStreamsForgetOnDisk(t *testing.T) {
	w := openWorld(t, t.TempDir(), clock.NewManual(began))
	create := func(w *world, table string) {
		t.Helper()
		_, err := w.tables.CreateTable(engine.CreateTable{
			Name: table, Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}}, Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "NEW_IMAGE",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(w *world, table string) {
		t.Helper()
		_, err := w.tables.Put(engine.Put{Write: engine.Write{Table: table}, Item: attr.Item{"id": number(1), "at": attr.String(w.clock.Now().String())}})
		if err != nil {
			t.Fatal(err)
		}
	}
	last := func(w *world) string { s := w.streams.List("T")[0]; return s.Latest(s.Shards()[0].ID) }
	create(w, "T")
	for range 30 {
		put(w, "T")
		w.clock.Advance(time.Hour)
	}
	w.wait()
	if spaces := w.folder.Spaces("eu-west-1/records/"); len(spaces) < 24 || len(spaces) > 26 {
		t.Errorf("records of %d hours are kept", len(spaces))
	}
	number := last(w)
	w = w.again(w.log())
	if got := last(w); got != number {
		t.Errorf("the last sequence number is %s, before the crash it was %s", got, number)
	}
	w.clock.Advance(3 * 24 * time.Hour)
	put(w, "T")
	w.wait()
	if spaces := w.folder.Spaces("eu-west-1/records/"); len(spaces) != 1 {
		t.Errorf("records of %v are kept", spaces)
	}
	if got := last(w); got <= number {
		t.Errorf("the last sequence number is %s after %s", got, number)
	}
	if got, want := w.again(w.log()).show(), w.show(); got != want {
		t.Errorf("after the crash there is\n%s\nwant\n%s", got, want)
	}
	// A stream that was disabled goes with its shards.
	if _, err := w.tables.DeleteTable("T"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	create(w, "U")
	put(w, "U")
	w.wait()
	for _, kind := range []string{"streams", "shards", "records/"} {
		n := 0
		for _, space := range w.folder.Spaces("eu-west-1/" + kind) {
			if err := w.folder.Space(space).Each(func(string, []byte) error { n++; return nil }); err != nil {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("%d entries of %s are kept", n, kind)
		}
	}
}

// deliveries remembers the sequence numbers that a function was invoked with.
type deliveries struct {
	mu   sync.Mutex
	seen []string
}

func (d *deliveries) Invoke(_ context.Context, _ string, payload []byte) (esm.Result, error) {
	var event struct {
		Records []struct {
			DynamoDB struct{ SequenceNumber string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return esm.Result{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range event.Records {
		d.seen = append(d.seen, r.DynamoDB.SequenceNumber)
	}
	return esm.Result{Payload: []byte("{}")}, nil
}

func (d *deliveries) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.seen)
}

// deliver runs the world's mappings.
func (w *world) deliver() (*esm.Mappings, *deliveries) {
	w.t.Helper()
	d := &deliveries{}
	m := esm.New(esm.Options{Account: Account, Region: "eu-west-1", Clock: w.clock, Source: sources(w.streams, w.folder.Wait), Invoker: d})
	if err := m.Restore(w.folder.Space("eu-west-1/mappings"), w.folder.Space("eu-west-1/checkpoints")); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = m.Close(context.Background()) })
	return m, d
}

// sequenceNumbers are those of all records of the only stream.
func (w *world) sequenceNumbers() []string {
	w.t.Helper()
	s := w.streams.List("")[0]
	var all []string
	for _, shard := range s.Shards() {
		for after := ""; ; {
			records, closed, err := s.Read(shard.ID, after, 100)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, r := range records {
				all = append(all, r.SequenceNumber)
				after = r.SequenceNumber
			}
			if closed || len(records) == 0 {
				break
			}
		}
	}
	return all
}

// A crash while a mapping works: its function has seen no record that is lost, and it sees each record that is there, at most those in
// flight a second time.
func TestMappingAfterACrash(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 9))
		w := openWorld(t, t.TempDir(), clock.NewManual(began))
		d, err := w.tables.CreateTable(engine.CreateTable{
			Name: "T", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}}, Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "KEYS_ONLY",
		})
		if err != nil {
			t.Fatal(err)
		}
		mappings, before := w.deliver()
		mapping, err := mappings.Create(esm.Config{
			StreamARN: d.StreamARN, FunctionARN: "fn", StartingPosition: esm.TrimHorizon, Enabled: true, BatchSize: 3,
			MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: -1,
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var seen, processed []string
		var log []byte
		for i, crash := 0, 50+r.IntN(100); i < 200; i++ {
			if _, err := w.tables.Put(engine.Put{Write: engine.Write{Table: "T"}, Item: attr.Item{"id": number(i)}}); err != nil {
				t.Fatal(err)
			}
			if r.IntN(20) == 0 {
				w.divide(r)
			}
			if r.IntN(10) == 0 {
				w.wait()
			}
			if i == 40 { // the least that the mapping has done before the crash, however slow it is
				w.wait()
				if err := mappings.AwaitCaughtUp(ctx, mapping.UUID); err != nil {
					t.Fatal(err)
				}
				w.wait()
			}
			if i == crash {
				seen = before.all()
				log = w.log()
				processed = before.all() // what the log's checkpoints may cover
			}
		}
		crashed := w.again(log)
		again, after := crashed.deliver()
		if err := again.AwaitCaughtUp(ctx, mapping.UUID); err != nil {
			t.Fatal(err)
		}
		there := crashed.sequenceNumbers()
		for _, number := range seen {
			if !slices.Contains(there, number) {
				t.Errorf("seed %d: the function saw record %s, which is lost", seed, number)
			}
		}
		processed = append(processed, after.all()...)
		for _, number := range there {
			if !slices.Contains(processed, number) {
				t.Errorf("seed %d: the function never sees record %s", seed, number)
			}
		}
		if len(after.all()) == len(there) && len(there) > 100 {
			t.Errorf("seed %d: all %d records are delivered again", seed, len(there))
		}
	}
}

func TestMappingsReadWhatIsSettled(t *testing.T) {
	w := openWorld(t, t.TempDir(), clock.NewManual(began))
	d, err := w.tables.CreateTable(engine.CreateTable{
		Name: "T", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}}, Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "KEYS_ONLY",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tables.Put(engine.Put{Write: engine.Write{Table: "T"}, Item: attr.Item{"id": number(1)}}); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	unsettled, _ := sources(w.streams, func(context.Context) error { return full })(d.StreamARN)
	shard := unsettled.Shards()[0].ID
	if records, _, err := unsettled.Read(shard, "", 10); len(records) > 0 || !errors.Is(err, full) {
		t.Errorf("%d records, %v", len(records), err)
	}
	settled, _ := sources(w.streams, w.folder.Wait)(d.StreamARN)
	if records, _, err := settled.Read(shard, "", 10); len(records) != 1 || err != nil {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// A folder that another stack has, or that is not to be understood, keeps a stack from starting and nothing open.
func TestStartRefusesTheFolder(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{DataDir: dir})
	_, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", DataDir: dir})
	if want := fmt.Sprintf("process %d has it open", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for space, want := range map[string]string{
		"roles": "json: cannot unmarshal", "us-east-1/tables": "reading tables: ", "us-east-1/streams": "reading streams: ",
		"us-east-1/queues": "restoring queues: ", "us-east-1/functions": "restoring function x: ", "us-east-1/mappings": "restoring event source mappings: ",
	} {
		dir := t.TempDir()
		folder, err := durable.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		folder.Space(space).Put("x", "no object")
		if err := folder.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = Start(t.Context(), Options{Listen: "127.0.0.1:0", DataDir: dir})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", space, err, want)
		}
		if folder, err = durable.Open(dir); err != nil { // nobody has it open any more
			t.Error(err)
		} else if err := folder.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The code that functions of a killed stack were running is not left behind.
func TestStartClearsWhatRan(t *testing.T) {
	dir := t.TempDir()
	run := func() {
		t.Helper()
		s, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	run()
	if err := os.MkdirAll(filepath.Join(dir, "running", "streamgen-functions-1", "bootstrap"), 0o700); err != nil {
		t.Fatal(err)
	}
	run()
	if files, err := os.ReadDir(filepath.Join(dir, "running")); err != nil || len(files) > 0 {
		t.Errorf("left are %v, %v", files, err)
	}
}

// What the folder does not take is not acknowledged, and what was read is not let out either.
func TestNothingUnsettledIsLetOut(t *testing.T) {
	s := start(t, Options{DataDir: t.TempDir()})
	call := func(operation, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		req.Header.Set("Authorization", signed("us-east-1", "dynamodb"))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	const table = `{"TableName":"%s","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],` +
		`"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`
	if status, text := call("CreateTable", fmt.Sprintf(table, "kept")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if err := s.folder.Close(); err != nil { // as if the disk were gone
		t.Fatal(err)
	}
	if status, text := call("ListTables", "{}"); status != http.StatusOK || !strings.Contains(text, `"kept"`) {
		t.Errorf("what is settled is read as %d %s", status, text)
	}
	for _, c := range [][2]string{{"CreateTable", fmt.Sprintf(table, "lost")}, {"DescribeTable", `{"TableName":"lost"}`}} {
		status, text := call(c[0], c[1])
		if status != http.StatusBadRequest || !strings.Contains(text, "InternalFailure") || !strings.Contains(text, "the data folder is closed") {
			t.Errorf("%s: %d %s", c[0], status, text)
		}
	}
}

// BenchmarkRestart opens a folder with 100,000 items of 1 KB and their stream records.
func BenchmarkRestart(b *testing.B) {
	const items = 100_000
	dir, c := b.TempDir(), clock.NewManual(began)
	open := func() (*durable.Folder, *engine.Engine) {
		folder, err := durable.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		s := &Stack{opts: Options{Clock: c}, folder: folder}
		_, tables, err := s.restoreTables("eu-west-1")
		if err != nil {
			b.Fatal(err)
		}
		return folder, tables
	}
	folder, tables := open()
	_, err := tables.CreateTable(engine.CreateTable{
		Name: "T", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}}, Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}},
		View: "NEW_AND_OLD_IMAGES",
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range items {
		it := attr.Item{"id": number(i)}
		for n := range 9 {
			it[fmt.Sprintf("attribute%d", n)] = attr.String(fmt.Sprintf("%092d", i))
		}
		if _, err := tables.Put(engine.Put{Write: engine.Write{Table: "T"}, Item: it}); err != nil {
			b.Fatal(err)
		}
	}
	if err := folder.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		folder, tables := open()
		if d, err := tables.DescribeTable("T"); err != nil || d.Items != items {
			b.Fatalf("%d items, %v", d.Items, err)
		}
		if err := folder.Close(); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/items, "disk-B/item")
}

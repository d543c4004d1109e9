package records_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/records"
	"streamgen/internal/spec"
)

const streamARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-02T03:04:05.678"

var made = records.Made{StreamARN: streamARN, Region: "us-east-1", ViewType: "NEW_AND_OLD_IMAGES", Keys: []string{"Id"}}

// record makes the n-th record, of a shard and of the item with an id.
func record(t *testing.T, n int, shard, id string) records.Record {
	t.Helper()
	r, err := made.Record(nil, records.Image{"Id": []byte(fmt.Sprintf(`{"S":%q}`, id))}, fmt.Sprintf("e%d", n), fmt.Sprint(1000+n), 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	r.Shard = shard
	return r
}

func sequences(list []records.Record) string {
	var all []string
	for _, r := range list {
		all = append(all, r.Sequence)
	}
	return strings.Join(all, " ")
}

func TestMadeRecord(t *testing.T) {
	old := records.Image{"Id": []byte(`{"S":"1"}`), "Status": []byte(`{"S":"new"}`)}
	item := records.Image{"Id": []byte(`{"S":"1"}`), "Status": []byte(`{"S":"<paid>"}`)}
	for _, c := range []struct {
		view      string
		old, item records.Image
		want      string
	}{
		{"NEW_AND_OLD_IMAGES", old, item, `{"eventID":"e","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
			`"dynamodb":{"ApproximateCreationDateTime":1733418659.0,"Keys":{"Id":{"S":"1"}},"NewImage":{"Id":{"S":"1"},"Status":{"S":"<paid>"}},` +
			`"OldImage":{"Id":{"S":"1"},"Status":{"S":"new"}},"SequenceNumber":"7","SizeBytes":30,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"` + streamARN + `"}`},
		{"NEW_IMAGE", nil, item, `"eventName":"INSERT"`},
		{"KEYS_ONLY", old, item, `"Keys":{"Id":{"S":"1"}},"SequenceNumber":"7","SizeBytes":3,`},
		{"OLD_IMAGE", old, nil, `"Keys":{"Id":{"S":"1"}},"OldImage":{"Id":{"S":"1"},"Status":{"S":"new"}},"SequenceNumber"`},
	} {
		m := made
		m.ViewType = c.view
		r, err := m.Record(c.old, c.item, "e", "7", 1733418659)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(r.JSON), c.want) {
			t.Errorf("%s: %s", c.view, r.JSON)
		}
		if r.Sequence != "7" || r.At.Unix() != 1733418659 || string(r.Keys["Id"]) != `{"S":"1"}` || records.TableOf(r.StreamARN) != "orders" {
			t.Errorf("%+v", r)
		}
	}
	other := records.Image{"Id": []byte(`{"S":"2"}`)}
	for want, images := range map[string][2]records.Image{
		"want the item": {}, "no Id": {nil, {"Status": []byte(`{"S":"x"}`)}}, "another Id": {other, item},
	} {
		if _, err := made.Record(images[0], images[1], "e", "7", 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestParseItem(t *testing.T) {
	attributes := []spec.Attribute{
		{Name: "Id", Type: spec.String}, {Name: "Total", Type: spec.Number}, {Name: "Tags", Type: spec.StringSet}, {Name: "Data", Type: spec.Binary},
		{Name: "Sizes", Type: spec.List, Of: &spec.Attribute{Type: spec.Number}},
		{Name: "To", Type: spec.Map, Attributes: []spec.Attribute{{Name: "Codes", Type: spec.NumberSet}}},
		{Name: "By", Type: spec.Map, Of: &spec.Attribute{Type: spec.String}},
	}
	for _, c := range []struct{ text, want string }{
		{`{"Id":"1","Total":12.50,"Tags":["a","b"],"Data":"AAE="}`, `Data {"B":"AAE="} Id {"S":"1"} Tags {"SS":["a","b"]} Total {"N":"12.50"}`},
		{`{"Total":"123456789012345678901234567890"}`, `Total {"N":"123456789012345678901234567890"}`},
		{`{"Sizes":[1,2],"To":{"Codes":[3],"Street":"<S>"},"By":{"x":"y"}}`, `By {"M":{"x":{"S":"y"}}} Sizes {"L":[{"N":"1"},{"N":"2"}]} To {"M":{"Codes":{"NS":["3"]},"Street":{"S":"<S>"}}}`},
		{`{"other":{"a":[true,null,1.0,"x"]}}`, `other {"M":{"a":{"L":[{"BOOL":true},{"NULL":true},{"N":"1.0"},{"S":"x"}]}}}`},
		{`{"Id":{"S":"1"},"Total":{"N":"5"},"m":{"M":{"x":{"L":[{"NULL":true}]}}}}`, `Id {"S":"1"} Total {"N":"5"} m {"M":{"x":{"L":[{"NULL":true}]}}}`},
		{`{"Id":"S","m":{"S":"1"}}`, `Id {"S":"S"} m {"M":{"S":{"S":"1"}}}`}, // not all are typed, so that none is
		{`{"Total":"twelve"}`, `! Total is "twelve", and the attribute is N`},
		{`{"Tags":[]}`, `! at least one element`},
		{`{"Sizes":[1,true]}`, `! Sizes[1] is true`},
		{`{"Data":"?"}`, `! base64`},
		{`{"Id":"1"} x`, `! more after`},
		{`[]`, `! no JSON object`},
	} {
		item, err := records.ParseItem([]byte(c.text), attributes)
		if want, isError := strings.CutPrefix(c.want, "! "); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		var got []string
		for _, name := range []string{"By", "Data", "Id", "Sizes", "Tags", "To", "Total", "m", "other"} {
			if item[name] != nil {
				got = append(got, name, string(item[name]))
			}
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, %v", c.text, strings.Join(got, " "), err)
		}
	}
}

func TestJudge(t *testing.T) {
	batch := []records.Record{record(t, 1, "s", "a"), record(t, 2, "s", "b"), record(t, 3, "s", "c")}
	for _, c := range []struct {
		payload, functionError string
		silent                 bool
		done                   int
		named                  string
	}{
		{payload: `null`, done: 3}, {payload: ``, done: 3}, {payload: `""`, done: 3}, {payload: `[]`, done: 3}, {payload: `{}`, done: 3},
		{payload: `{"batchItemFailures":[]}`, done: 3}, {payload: `{"batchItemFailures":null}`, done: 3}, {payload: `{"BatchItemFailures":[{"itemIdentifier":"1002"}]}`, done: 3},
		{payload: `{"batchItemFailures":[{"itemIdentifier":"1002"}]}`, done: 1, named: "1002"},
		{payload: `{"batchItemFailures":[{"itemIdentifier":"1003"},{"itemIdentifier":"1002"}]}`, done: 1, named: "1003 1002"},
		{payload: `{"batchItemFailures":[{"itemIdentifier":""}]}`}, {payload: `{"batchItemFailures":[{"itemIdentifier":null}]}`},
		{payload: `{"batchItemFailures":[{"itemIdentifier":"1"}]}`}, {payload: `{"batchItemFailures":[{"foo":123}]}`}, {payload: `{"batchItemFailures":{}}`},
		{payload: `x`}, {payload: `"x"`}, {payload: `3`}, {payload: `[1]`},
		{payload: `{"errorMessage":"no"}`, functionError: "Unhandled"},
		{payload: `{"batchItemFailures":[{"itemIdentifier":"1001"}]}`, silent: true, done: 3},
	} {
		v := records.Judge(batch, []byte(c.payload), c.functionError, !c.silent)
		if v.Done != c.done || strings.Join(v.Named, " ") != c.named || (v.Done < 3 && len(v.Named) == 0) != (v.Why != "") {
			t.Errorf("%s: %+v", c.payload, v)
		}
	}
}

func TestBatches(t *testing.T) {
	var list []records.Record
	for i := range 7 {
		list = append(list, record(t, i, []string{"x", "y"}[i%2], fmt.Sprint(i%3)))
	}
	var got []string
	for _, shard := range records.ByShard(list) {
		for _, b := range records.Batches(shard, 3) {
			got = append(got, sequences(b))
		}
	}
	if d := cmp.Diff([]string{"1000 1002 1004", "1006", "1001 1003 1005"}, got); d != "" {
		t.Errorf("batches (-want +got):\n%s", d)
	}
	large := record(t, 1, "x", strings.Repeat("x", 1<<20))
	if got := records.Batches([]records.Record{large, large, large, large, large, large, large}, 100); len(got) < 3 {
		t.Errorf("%d events of more than 6 MB", len(got))
	}
	// Each item's records stay in one lane, in their order.
	seen := map[string]string{}
	for i, lane := range records.Lanes(list, 4, "Id") {
		for _, r := range lane {
			key := string(r.Keys["Id"])
			was, found := seen[key]
			if now := fmt.Sprint(i); found && was[:1] != now || found && was[1:] >= r.Sequence {
				t.Errorf("%s is in lane %s, %s after %s", key, now, r.Sequence, was)
			}
			seen[key] = fmt.Sprint(i) + r.Sequence
		}
	}
	kept, err := records.Filter(list, []string{`{"dynamodb":{"Keys":{"Id":{"S":["1"]}}}}`})
	if err != nil || sequences(kept) != "1001 1004" {
		t.Errorf("kept %s, %v", sequences(kept), err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recording")
	header := records.Header{Table: "orders", StreamARN: streamARN, Region: "us-east-1", ViewType: "NEW_AND_OLD_IMAGES", Keys: []string{"Id"}}
	write := func(list ...records.Record) {
		t.Helper()
		f, err := records.Open(path, header)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write(list); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(record(t, 1, "x", "a"), record(t, 2, "y", "<b>"))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Wherever a crash cut the last line off, the next run goes on behind the last whole one.
	lastLine := bytes.LastIndexByte(before[:len(before)-1], '\n') + 1
	for _, cut := range []int{lastLine, lastLine + 1, len(before) - 1} {
		if err := os.WriteFile(path, before[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		write(record(t, 2, "y", "<b>"))
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Fatalf("cut at %d of %d: %v\n%s", cut, len(before), err, after)
		}
	}
	f, err := records.Open(path, header)
	if err != nil {
		t.Fatal(err)
	}
	if f.Count != 2 || f.Last["x"] != "1001" || f.Last["y"] != "1002" || f.Header.Recording != records.Version {
		t.Errorf("%+v", f)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var read []records.Record
	h, _, err := records.Read(bytes.NewReader(before), func(r records.Record) error {
		read = append(read, r)
		return nil
	})
	if err != nil || h.Table != "orders" || sequences(read) != "1001 1002" || read[1].Shard != "y" || string(read[1].JSON) != string(record(t, 2, "y", "<b>").JSON) {
		t.Errorf("%+v %+v %v", h, read, err)
	}

	other := header
	other.StreamARN += "9"
	if _, err := records.Open(path, other); err == nil || !strings.Contains(err.Error(), "another stream") {
		t.Errorf("another stream: %v", err)
	}
	for text, want := range map[string]string{
		"": "not even one line", "{}\n": "streamgen_recording", `{"streamgen_recording":9}` + "\n": "version 9",
		`{"streamgen_recording":1}` + "\n{}\n": "line 2", `{"streamgen_recording":1}` + "\n" + `{"shard":"x","record":{"eventName":"MODIFY"}}` + "\n": `no "dynamodb"`,
	} {
		if _, _, err := records.Read(strings.NewReader(text), func(records.Record) error { return nil }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReport(t *testing.T) {
	const text = `{"requestContext":{"requestId":"r","functionArn":"arn:aws:lambda:us-east-1:0:function:ship","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2019-11-14T00:13:49.717Z",
		"DDBStreamBatchInfo":{"shardId":"shardId-1-a","startSequenceNumber":"900","endSequenceNumber":"1100","approximateArrivalOfFirstRecord":"2019-11-14T00:13:19Z",
		"approximateArrivalOfLastRecord":"2019-11-14T00:13:20Z","batchSize":3,"streamArn":"` + streamARN + `"}%s}`
	r, err := records.ParseReport(fmt.Appendf(nil, text, ""))
	if err != nil || r.Condition != "RetryAttemptsExhausted" || r.Invokes != 2 || r.Shard != "shardId-1-a" || r.Count != 3 || r.Event != nil || r.FirstArrival.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
	for sequence, in := range map[string]bool{"899": false, "900": true, "1000": true, "1100": true, "1101": false, "99": false, "10000": false} {
		if r.Holds(sequence) != in {
			t.Errorf("%s: %v", sequence, !in)
		}
	}
	for _, payload := range []string{`,"payload":"{\"Records\":[]}"`, `,"payload":{"Records":[]}`} {
		if r, err := records.ParseReport(fmt.Appendf(nil, text, payload)); err != nil || string(r.Event) != `{"Records":[]}` {
			t.Errorf("%s: %s %v", payload, r.Event, err)
		}
	}
	for _, bad := range []string{"hello", "{}", `{"DDBStreamBatchInfo":{}}`, `{"KinesisBatchInfo":{"shardId":"x"}}`} {
		if _, err := records.ParseReport([]byte(bad)); err == nil || !strings.Contains(err.Error(), "no report") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestTelling(t *testing.T) {
	item := func(text string) records.Image {
		if text == "" {
			return nil
		}
		i, err := records.ParseItem([]byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	for _, c := range []struct{ kind, old, item, want string }{
		{records.Insert, "", `{"Id":"1","n":2}`, `INSERT Id="1" {n: 2}`},
		{records.Modify, `{"Id":"1","n":2,"gone":true,"same":[1,{"a":null}]}`, `{"Id":"1","n":3,"new one":"x\u001b","same":[1,{"a":null}]}`,
			`MODIFY Id="1" {-gone: true, n: 2 → 3, +"new one": "x\x1b"}`},
		{records.Remove, `{"Id":"1","n":[1,{"a":null}],"text":"0123456789012345678901234567890"}`, "", `REMOVE Id="1" {n: [1, {a: null}], text: "012345678901234567…}`},
		{records.Modify, "", "", `MODIFY Id="1"`},
	} {
		r := records.Record{Kind: c.kind, Old: item(c.old), New: item(c.item), Keys: item(`{"Id":"1"}`)}
		if got := r.String(20); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	for _, c := range [][3]string{{"1", "1", "1"}, {"100000000000000000002", "100000000000000000015", "100000000000000000002–…15"}, {"99", "1000", "99–1000"}} {
		if got := records.Range(c[0], c[1]); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""}, {"", 0, ""}, {"äbc", 3, "äbc"}, {"äbcd", 3, "äb…"}, {"äb", 1, "…"}, {"a\nb\x1b[2J\u202e\u009b", 20, "a�b�[2J��"}, {"\xff\xfex", 2, "�…"},
	} {
		if got := records.Cut(c.text, c.most); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

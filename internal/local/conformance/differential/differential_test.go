package differential

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local"
)

// The variables that steer TestDifferential.
const (
	referenceVar = "STREAMGEN_REFERENCE_ENDPOINT" // of the other implementation; the test is skipped without it
	requestsVar  = "STREAMGEN_REQUESTS"           // how many, 2,000 by default
	seedVar      = "STREAMGEN_SEED"               // 1 by default
)

// TestDifferential sends the same random requests to the stack and to another implementation, and wants the same answers, but for the
// differences that are known and explained.
func TestDifferential(t *testing.T) {
	reference := os.Getenv(referenceVar)
	if reference == "" {
		t.Skip(referenceVar + " is not set: make differential starts an implementation and sets it")
	}
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close(t.Context())
	d := &differential{T: t, ours: stack.Endpoint(), theirs: reference, found: map[string]*difference{}}
	d.makeTables()
	g := newGenerator(number(t, seedVar, 1))
	n := int(number(t, requestsVar, 2000))
	refused := 0
	for i := range n {
		if d.compare(i, g.next()) {
			refused++
		}
	}
	t.Logf("%d requests, of which %d were refused; known differences: %v", n, refused, d.known)
	d.report()
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// answer is what came back, in a form in which equal answers are equal.
type answer struct {
	status int
	code   string
	text   string // the message of an error, else the body
}

func (a answer) String() string { return fmt.Sprintf("%d %s %s", a.status, a.code, a.text) }

// difference is a kind of difference with the first request that showed it.
type difference struct {
	count        int
	number       int
	request      request
	ours, theirs answer
}

type differential struct {
	*testing.T
	ours, theirs string
	found        map[string]*difference
	known        map[string]int
}

// makeTables makes empty tables on both sides. Whoever starts the other one again after a crash has a minute for it.
func (d *differential) makeTables() {
	for begun := time.Now(); d.send(d.theirs, request{"ListTables", object{}}).status == 0; {
		if time.Since(begun) > time.Minute {
			d.Fatalf("%s does not answer", d.theirs)
		}
	}
	for _, t := range tables {
		for _, endpoint := range []string{d.ours, d.theirs} {
			d.send(endpoint, request{"DeleteTable", object{"TableName": t.name}})
			for a := (answer{}); a.status == 0 || a.code == "ResourceInUseException"; { // the other one takes its time to delete
				if a = d.send(endpoint, t.create()); a.status != http.StatusOK && a.status != 0 && a.code != "ResourceInUseException" {
					d.Fatalf("%s: making %s: %s", endpoint, t.name, a)
				}
			}
			for status := ""; status != "ACTIVE"; {
				var described struct{ Table struct{ TableStatus string } }
				_, body := d.post(endpoint, request{"DescribeTable", object{"TableName": t.name}})
				if err := json.Unmarshal(body, &described); err != nil {
					d.Fatal(err)
				}
				status = described.Table.TableStatus
			}
		}
	}
}

// compare reports whether the request was refused by both.
func (d *differential) compare(i int, r request) (refused bool) {
	ours, theirs := d.send(d.ours, r), d.send(d.theirs, r)
	if theirs.status == 0 {
		d.Logf("the other one died of request %d: %s %s", i, r.operation, text(r.body))
		d.makeTables()
		return false
	}
	if onlyTakes(r) || r.operation == "BatchWriteItem" && ours.status != http.StatusOK {
		defer d.empty(r) // the other one makes an item, or a part of the batch, which the answer need not show
	}
	if ours == theirs {
		return ours.status != http.StatusOK
	}
	for _, k := range known {
		if k.fits(r, ours, theirs) {
			d.empty(r)
			if d.known == nil {
				d.known = map[string]int{}
			}
			d.known[k.name]++
			return false
		}
	}
	defer d.empty(r)
	kind := r.operation + ": " + general(ours) + " | " + general(theirs)
	if d.found[kind] == nil {
		d.found[kind] = &difference{number: i, request: r, ours: ours, theirs: theirs}
	}
	d.found[kind].count++
	return false
}

// onlyTakes reports whether a request is an update that gives nothing.
func onlyTakes(r request) bool {
	if r.operation != "UpdateItem" {
		return false
	}
	src, _ := r.body["UpdateExpression"].(string)
	return !strings.Contains(src, "SET") && !strings.Contains(src, "ADD")
}

// empty takes all items away from the tables that a request writes, so that a difference does not make others.
func (d *differential) empty(r request) {
	var names []string
	switch r.operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		names = []string{fmt.Sprint(r.body["TableName"])}
	case "BatchWriteItem":
		items, _ := r.body["RequestItems"].(object)
		names = slices.Collect(maps.Keys(items))
	}
	for _, t := range tables {
		if !slices.Contains(names, t.name) {
			continue
		}
		for _, endpoint := range []string{d.ours, d.theirs} {
			var found struct{ Items []object }
			if _, body := d.post(endpoint, request{"Scan", object{"TableName": t.name}}); body != nil {
				if err := json.Unmarshal(body, &found); err != nil {
					d.Fatal(err)
				}
			}
			for _, item := range found.Items {
				key := object{}
				for _, k := range t.keys {
					key[k.name] = item[k.name]
				}
				d.send(endpoint, request{"DeleteItem", object{"TableName": t.name, "Key": key}})
			}
		}
	}
}

func (d *differential) report() {
	kinds := slices.SortedFunc(maps.Keys(d.found), func(a, b string) int { return cmp.Compare(d.found[b].count, d.found[a].count) })
	const most = 60
	for i, kind := range kinds {
		f := d.found[kind]
		if i < most {
			d.Errorf("%d times, first request %d: %s %s\n  ours:   %.600s\n  theirs: %.600s", f.count, f.number, f.request.operation, text(f.request.body), f.ours, f.theirs)
		}
	}
	if len(kinds) > most {
		d.Errorf("and %d kinds more", len(kinds)-most)
	}
}

var particular = regexp.MustCompile(`\[[^\]]*\]|\{[^}]*\}|'[^']*'|"[^"]*"|: [^:]*$|\d+`)

// general is an answer without what is particular to its request.
func general(a answer) string {
	if a.status == http.StatusOK {
		return "OK"
	}
	return fmt.Sprint(a.status, " ", a.code, " ", particular.ReplaceAllString(a.text, "…"))
}

// post sends a request. The status is 0 when there is no answer.
func (d *differential) post(endpoint string, r request) (status int, body []byte) {
	text, err := json.Marshal(r.body)
	if err != nil {
		d.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, endpoint, bytes.NewReader(text))
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+r.operation)
	req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20261126/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x")
	res, err := http.DefaultClient.Do(req)
	if err != nil && endpoint == d.theirs {
		return 0, nil
	}
	if err != nil {
		d.Fatalf("%s %s: %v", r.operation, text, err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		d.Fatal(err)
	}
	return res.StatusCode, body
}

func (d *differential) send(endpoint string, r request) answer {
	status, body := d.post(endpoint, r)
	if status == 0 {
		return answer{}
	}
	var decoded object
	if err := json.Unmarshal(body, &decoded); err != nil {
		return answer{status: status, text: string(body)}
	}
	a := answer{status: status}
	if kind, is := decoded["__type"].(string); is {
		a.code = kind[strings.LastIndex(kind, "#")+1:]
		a.text, _ = decoded["message"].(string)
		if text, is := decoded["Message"].(string); is {
			a.text = text
		}
		return a
	}
	unordered := r.operation == "Scan" || r.operation == "BatchGetItem" || r.body["IndexName"] != nil
	text, err := json.Marshal(normal(decoded, unordered))
	if err != nil {
		d.Fatal(err)
	}
	a.text = string(text)
	return a
}

// normal brings sets, and the items of an answer whose order means nothing, into an order.
func normal(v any, unordered bool) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, member := range v {
			out[name] = normal(member, unordered)
			list, isList := out[name].([]any)
			isSet := slices.Contains([]string{"SS", "NS", "BS"}, name)
			if isList && (isSet || unordered && name != "L" || name == "ConsumedCapacity") {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(text(a), text(b)) })
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normal(v[i], unordered)
		}
		return out
	default:
		return v
	}
}

func text(v any) string {
	b, _ := json.Marshal(v) // it came from JSON
	return string(b)
}

package cli

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/internal/records"
	"streamgen/internal/spec"
)

// compared says how two builds differ, of which Before is the other one and Now that of the project as it is.
type compared struct {
	Before string `json:"before"`
	Now    string `json:"now"`
	// Batches are those of which the outcomes differ, Effects what differs of tables and queues in the end.
	Batches []differentBatch `json:"batches"`
	Effects []effect         `json:"effects"`
}

type differentBatch struct {
	batch *replayedBatch

	Batch  int          `json:"batch"`
	First  string       `json:"first"`
	Last   string       `json:"last"`
	Before batchOutcome `json:"before"`
	Now    batchOutcome `json:"now"`
}

// effect is an item or a message that the builds left behind differently; what is missing on one side is null.
type effect struct {
	// Where is "table NAME" or "queue NAME", as gen.yaml has the name.
	Where  string          `json:"where"`
	Before json.RawMessage `json:"before"`
	Now    json.RawMessage `json:"now"`
	text   string
}

func (c *compared) differs() bool { return len(c.Batches)+len(c.Effects) > 0 }

func (c *compared) summary() string {
	return fmt.Sprintf("%s, %s", batches(len(c.Batches)), count(len(c.Effects), "effect"))
}

// handlerBuild is a handler's package for this machine, and the project that it is of.
type handlerBuild struct {
	name    string
	place   place
	handler spec.Handler
	zip     string
}

// compare replays with another build, and then with that of the project.
func (r *replay) compare(ctx context.Context, start string) error {
	other, remove, err := r.otherBuild(ctx, start)
	if err != nil {
		return err
	}
	defer remove()
	zip, err := r.buildHere(ctx, r.handler)
	if err != nil {
		return err
	}
	now := handlerBuild{"this build", r.place, r.handler, zip}
	if other.place.project == nil { // a package alone
		other.place, other.handler = r.place, r.handler
	}
	other.place.env.settings.NamePrefix = r.env.settings.NamePrefix
	before, err := r.runBuild(ctx, other)
	if err != nil {
		return err
	}
	outcomes := make([]batchOutcome, len(r.result.Batches))
	for i, b := range r.result.Batches {
		outcomes[i] = b.batchOutcome
	}
	after, err := r.runBuild(ctx, now)
	if err != nil {
		return err
	}
	c := &compared{Before: other.name, Now: now.name, Batches: []differentBatch{}, Effects: before.differences(after)}
	for i, b := range r.result.Batches {
		if !outcomes[i].equal(b.batchOutcome) {
			c.Batches = append(c.Batches, differentBatch{b, b.Batch, b.First, b.Last, outcomes[i], b.batchOutcome})
		}
	}
	r.result.Compared = c
	if r.options.json {
		return nil
	}
	_, err = io.WriteString(r.std.out, c.text())
	return err
}

// runBuild replays with a build in a stack of its own, one batch after the other so that two runs are alike, and gives what it left there.
func (r *replay) runBuild(ctx context.Context, b handlerBuild) (left leftBehind, err error) {
	l, err := b.place.startFunctions(ctx, b.handler)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := l.deploy(ctx, b.handler, b.place.plainFunction(b.handler), b.zip)
	if err != nil {
		return nil, err
	}
	r.result.Function, r.result.Invocations, r.result.Done, r.result.Failed = f.name, 0, 0, 0
	if err := r.run(ctx, f, 0, 1); err != nil {
		return nil, err
	}
	r.std.printf("gen: %s: %d of %s done in %s\n", b.name, r.result.Done, count(r.result.Records, "record"), count(r.result.Invocations, "invocation"))
	return l.leftBehind(ctx, b.handler, r.options.ignore)
}

// equal compares all but times.
func (o batchOutcome) equal(other batchOutcome) bool {
	o.TookMS, other.TookMS = 0, 0
	return reflect.DeepEqual(o, other)
}

// text tells the differences.
func (c *compared) text() string {
	var b strings.Builder
	for _, d := range c.Batches {
		fmt.Fprintf(&b, "%s\n  %s: %s\n  %s: %s\n", d.batch, c.Before, d.told(d.Before), c.Now, d.told(d.Now))
	}
	where := ""
	for _, e := range c.Effects {
		if e.Where != where {
			where = e.Where
			fmt.Fprintf(&b, "%s, from %s to %s\n", where, c.Before, c.Now)
		}
		fmt.Fprintf(&b, "  %s\n", e.text)
	}
	return b.String()
}

// told tells one of the outcomes: the answers where nothing else differs.
func (d differentBatch) told(o batchOutcome) string {
	if d.Before.Done != d.Now.Done || !reflect.DeepEqual(d.Before.Failed, d.Now.Failed) {
		o.TookMS = 0
		return strings.ReplaceAll(o.String(), "\n", "\n  ")
	}
	var answers []string
	for _, i := range o.Invocations {
		answers = append(answers, fmt.Sprintf("%s from %s: %s", count(i.Records, "record"), i.First, i.Answer+i.Error))
	}
	return strings.Join(answers, "; ")
}

// leftBehind is what lies in tables and queues in the end: by where, and then by an item's key or a message's number.
type leftBehind map[string]map[string]records.Record

// leftBehind reads the tables that a handler uses and its parking queue. What it notes of records that are done is no effect.
func (l *localFunctions) leftBehind(ctx context.Context, h spec.Handler, ignore []string) (leftBehind, error) {
	all := leftBehind{}
	for _, name := range h.Uses() {
		t, err := l.place.table(name)
		if err != nil || t.HashKey == "" { // the stack does not have it
			continue
		}
		if all["table "+name], err = l.items(t, ignore); err != nil {
			return nil, err
		}
	}
	if h.ParkingQueue.Enabled {
		var err error
		if all["queue "+h.Name+spec.ParkingSuffix], err = l.parked(ctx, l.place.plainFunction(h)+spec.ParkingSuffix); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// items are those of a table, by their keys.
func (l *localFunctions) items(t spec.Table, ignore []string) (map[string]records.Record, error) {
	all, err := l.stack.Items(l.settings.Region, l.place.tableName(t))
	if err != nil {
		return nil, err
	}
	items := map[string]records.Record{}
	for _, text := range all {
		item, keys := records.Image{}, records.Image{}
		if err := json.Unmarshal(text, &item); err != nil {
			return nil, err
		}
		for _, name := range keyNames(t) {
			keys[name] = item[name]
		}
		maps.DeleteFunc(item, func(name string, _ json.RawMessage) bool { return keys[name] == nil && slices.Contains(ignore, name) })
		id, err := json.Marshal(keys)
		if err != nil {
			return nil, err
		}
		items[string(id)] = records.Record{Keys: keys, New: item}
	}
	return items, nil
}

// parked are the records in a parking queue, each with how often it lies there.
func (l *localFunctions) parked(ctx context.Context, name string) (map[string]records.Record, error) {
	client := sqs.NewFromConfig(l.settings)
	queue, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, err
	}
	messages := map[string]records.Record{}
	for {
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
		if err != nil || len(got.Messages) == 0 {
			return messages, err
		}
		for _, m := range got.Messages {
			list, err := records.ParseEvent([]byte(aws.ToString(m.Body)))
			if err != nil {
				return nil, fmt.Errorf("reading the queue %s: %w", name, err)
			}
			for _, r := range list {
				for n := 1; ; n++ {
					id := fmt.Sprintf("%s %d", r.Sequence, n)
					if _, taken := messages[id]; !taken {
						messages[id] = r
						break
					}
				}
			}
		}
	}
}

// differences are what another run left differently.
func (l leftBehind) differences(now leftBehind) []effect {
	effects := []effect{}
	both := func(a, b []string) []string { return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b)))) }
	for _, where := range both(keysOf(l), keysOf(now)) {
		for _, id := range both(keysOf(l[where]), keysOf(now[where])) {
			before, was := l[where][id]
			after, is := now[where][id]
			switch {
			case was && is && reflect.DeepEqual(before, after):
			case strings.HasPrefix(where, "queue "):
				effects = append(effects, parkedEffect(where, before, after, was))
			default:
				effects = append(effects, itemEffect(where, before, after, was, is))
			}
		}
	}
	return effects
}

func keysOf[V any](m map[string]V) []string { return slices.Collect(maps.Keys(m)) }

// parkedEffect is about a record that one of the runs alone parked; was says that it is the one before.
func parkedEffect(where string, before, after records.Record, was bool) effect {
	if was {
		return effect{where, before.JSON, nil, "parked no more: " + before.String(60)}
	}
	return effect{where, nil, after.JSON, "parked now: " + after.String(60)}
}

func itemEffect(where string, before, after records.Record, was, is bool) effect {
	change := records.Record{Kind: records.Modify, Keys: before.Keys, Old: before.New, New: after.New}
	e := effect{Where: where}
	switch {
	case !was:
		change.Kind, change.Keys = records.Insert, after.Keys
	case !is:
		change.Kind = records.Remove
	}
	e.text = change.String(60)
	if was {
		e.Before, _ = json.Marshal(before.New) // JSON already
	}
	if is {
		e.Now, _ = json.Marshal(after.New)
	}
	return e
}

// otherBuild finds the build that --compare names: a package, or a project in a folder or a revision, which is built. remove removes what
// was made for it.
func (r *replay) otherBuild(ctx context.Context, start string) (b handlerBuild, remove func(), err error) {
	name := r.options.compare
	b.name, remove = name, func() {}
	info, err := os.Stat(within(start, name))
	switch {
	case err == nil && !info.IsDir():
		b.zip = within(start, name)
		return b, remove, nil
	case err == nil:
		b, err = r.buildOf(ctx, b.name, within(start, name))
		return b, remove, err
	}
	dir, err := os.MkdirTemp("", "gen-compare-")
	if err != nil {
		return b, remove, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // a temporary folder may stay
	project, err := checkOut(ctx, r.project.dir, name, dir)
	if err == nil {
		b, err = r.buildOf(ctx, name, project)
	}
	if err != nil {
		remove()
	}
	return b, remove, err
}

// buildOf builds the handler of another project.
func (r *replay) buildOf(ctx context.Context, name, dir string) (handlerBuild, error) {
	p, err := openPlace(r.std, dir, environment{}, true)
	if err != nil {
		return handlerBuild{}, err
	}
	h, err := p.handler(r.handler.Name)
	if err != nil {
		return handlerBuild{}, usagef("%s: %w", name, err)
	}
	zip, err := p.buildHere(ctx, h)
	return handlerBuild{name, p, h, zip}, err
}

// checkOut writes the files of a revision of a project's repository into a folder, and gives where the project is there. The repository
// stays as it is.
func checkOut(ctx context.Context, project, revision, to string) (dir string, err error) {
	if strings.HasPrefix(revision, "-") {
		return "", usagef("--compare %s: want a package, a folder or a revision", revision)
	}
	git := func(dir string, args ...string) (string, error) {
		out, err := command(ctx, dir, "git", args...)
		return strings.TrimSuffix(string(out), "\n"), err
	}
	commit, err := git(project, "rev-parse", "--verify", "--quiet", revision+"^{commit}")
	if err != nil {
		return "", usagef("--compare %s: there is no such package or folder, and git knows no such revision in %s", revision, project)
	}
	top, err := git(project, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", err
	}
	below, err := git(project, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	archive := filepath.Join(to, "revision.tar")
	if _, err := git(top, "archive", "--format=tar", "--output="+archive, commit); err != nil {
		return "", fmt.Errorf("taking the files of %s: %w", revision, err)
	}
	files := filepath.Join(to, "files")
	if err := unpackTar(archive, files); err != nil {
		return "", fmt.Errorf("unpacking the files of %s: %w", revision, err)
	}
	return filepath.Join(files, filepath.FromSlash(below)), nil
}

// unpackTar writes the folders and files of an archive. Links are left out: what a build needs are files.
func unpackTar(archive, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(to) // nothing is written beside it
	if err != nil {
		return err
	}
	defer root.Close()
	for t := tar.NewReader(f); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.FromSlash(strings.TrimSuffix(h.Name, "/"))
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = writeIn(root, name, h.FileInfo().Mode().Perm(), t)
		}
		if err != nil {
			return err
		}
	}
}

func writeIn(root *os.Root, name string, mode fs.FileMode, from io.Reader) error {
	var b bytes.Buffer
	if _, err := b.ReadFrom(from); err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, b.Bytes(), mode|0o600)
}

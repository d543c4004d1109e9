package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"streamgen/internal/fileplan"
	"streamgen/internal/records"
	"streamgen/internal/spec"
)

// failureStore is where mappings report the records that they give up.
type failureStore interface {
	// String is how people call it.
	String() string
	// collect hands over the reports that lie there, until take wants no more; err says of anything else why it is none. What it gave stays
	// invisible to others, where that is possible, until close.
	collect(ctx context.Context, take takeReport) error
	// event gives what the function was invoked with, as a report that collect gave has it; nil where it has not.
	event(ctx context.Context, id string) ([]byte, error)
	// remove deletes what collect gave.
	remove(ctx context.Context, id string) error
	// close makes what was not removed visible again.
	close(ctx context.Context) error
}

type takeReport func(id string, r records.Report, err error) (more bool)

// parseMessage reads the one report that a message is, or holds.
func parseMessage(text []byte) (records.Report, error) {
	list, err := records.ParseReports(text)
	switch {
	case err != nil:
		return records.Report{}, err
	case len(list) != 1:
		return records.Report{}, fmt.Errorf("it has %d reports", len(list))
	}
	return list[0], nil
}

// failureStores are those of the mappings that a handler has.
func (p place) failureStores(ctx context.Context, settings aws.Config, h spec.Handler, sources []spec.Source) ([]failureStore, error) {
	var stores []failureStore
	var unreadable []string
	seen := map[spec.OnFailure]bool{}
	for _, s := range sources {
		if seen[s.OnFailure] {
			continue
		}
		seen[s.OnFailure] = true
		store, why, err := p.failureStore(ctx, settings, h, s.OnFailure)
		if err != nil {
			return nil, err
		}
		if why != "" {
			unreadable = append(unreadable, fmt.Sprintf("of the table %s, %s", s.Table, why))
			continue
		}
		stores = append(stores, store)
	}
	if len(stores) == 0 {
		return nil, usagef("the handler %s has no queue or bucket of failures: %s", h.Name, strings.Join(unreadable, "; "))
	}
	for _, u := range unreadable {
		p.std.printf("gen: not looked at: %s\n", u)
	}
	return stores, nil
}

// failureStore opens a destination; why says why there is nothing to open.
func (p place) failureStore(ctx context.Context, settings aws.Config, h spec.Handler, o spec.OnFailure) (store failureStore, why string, err error) {
	const topic = "a topic keeps nothing: subscribe a queue to it, and give its messages to --from FILE"
	name := p.plainFunction(h) + spec.FailuresSuffix
	switch o.Type {
	case "sqs":
		store, err = p.failureQueue(ctx, settings, name, "")
		return store, "", err
	case "s3":
		account, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, "", fmt.Errorf("asking AWS for the account: %w", err)
		}
		bucket := fileplan.FailureBucket(p.project.spec, p.env.settings.NamePrefix, h.FunctionName, aws.ToString(account.Account))
		return p.failureBucket(settings, bucket), "", nil
	case "sns":
		return nil, topic, nil
	case "arn":
		parts := strings.SplitN(o.ARN, ":", 6) // arn:aws:sqs:REGION:ACCOUNT:NAME
		switch {
		case len(parts) == 6 && parts[2] == "sqs":
			settings.Region = parts[3]
			store, err = p.failureQueue(ctx, settings, parts[5], parts[4])
			return store, "", err
		case len(parts) == 6 && parts[2] == "s3":
			return p.failureBucket(settings, parts[5]), "", nil
		case len(parts) == 6 && parts[2] == "sns":
			return nil, topic, nil
		}
		return nil, o.ARN + " is no queue, topic or bucket", nil
	}
	return nil, "its mapping has no destination for failures; what is known from elsewhere goes to --from FILE", nil
}

// hidden is how long messages stay invisible after gen was killed. While it runs they stay so longer.
const hidden = 10 * time.Minute

// failureQueue is a queue of reports.
type failureQueue struct {
	client *sqs.Client
	name   string
	url    *string
	tell   func(format string, args ...any)
	sleep  func(context.Context, time.Duration) error
	// stop ends the extending of what is held, and extending is closed when it has ended.
	stop      context.CancelFunc
	extending chan struct{}

	mu sync.Mutex
	// held are the receipt handles of received messages by their IDs.
	held map[string]string
}

func (p place) failureQueue(ctx context.Context, settings aws.Config, name, account string) (*failureQueue, error) {
	q := &failureQueue{client: sqs.NewFromConfig(settings), name: name, tell: p.std.printf, sleep: sleep, held: map[string]string{}}
	in := &sqs.GetQueueUrlInput{QueueName: &name}
	if account != "" {
		in.QueueOwnerAWSAccountId = &account
	}
	found, err := q.client.GetQueueUrl(ctx, in)
	if isCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return nil, fmt.Errorf("there is no queue %s in %s: is gen.yaml applied to %s?", name, settings.Region, p.env.name)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the queue %s: %w", name, err)
	}
	q.url = found.QueueUrl
	return q, nil
}

func (q *failureQueue) String() string { return "queue " + q.name }

func (q *failureQueue) collect(ctx context.Context, take takeReport) error {
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.stop, q.extending = stop, make(chan struct{})
	go q.keep(keeping)
	for {
		// An answer that waits asks all servers of SQS: without messages, there are none.
		got, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: int32(hidden / time.Second),
		})
		if isCode(err, "OverLimit") {
			q.tell("gen: the %s has no more messages in flight than it has now: the rest is for the next run\n", q)
			return nil
		}
		if err != nil {
			return fmt.Errorf("receiving from the %s: %w", q, err)
		}
		if len(got.Messages) == 0 {
			return nil
		}
		for i, m := range got.Messages {
			id := aws.ToString(m.MessageId)
			if !q.hold(id, aws.ToString(m.ReceiptHandle)) { // it came twice
				continue
			}
			report, err := parseMessage([]byte(aws.ToString(m.Body)))
			if take(id, report, err) {
				continue
			}
			for _, rest := range got.Messages[i+1:] {
				q.hold(aws.ToString(rest.MessageId), aws.ToString(rest.ReceiptHandle))
			}
			return nil
		}
	}
}

// hold notes a message, which is new unless it was received before.
func (q *failureQueue) hold(id, receipt string) (isNew bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, known := q.held[id]
	q.held[id] = receipt // the last one counts
	return !known
}

// keep keeps what is held invisible until ctx ends.
func (q *failureQueue) keep(ctx context.Context) {
	defer close(q.extending)
	for q.sleep(ctx, hidden/2) == nil {
		if err := q.show(ctx, hidden); err != nil && ctx.Err() == nil {
			q.tell("gen: messages of the %s become visible to others while they are worked on: %v\n", q, err)
		}
	}
}

// show makes what is held visible after some time.
func (q *failureQueue) show(ctx context.Context, after time.Duration) error {
	q.mu.Lock()
	held := maps.Clone(q.held)
	q.mu.Unlock()
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(held)), 10) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: q.url}
		for _, id := range ids {
			in.Entries = append(in.Entries, sqstypes.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(id), ReceiptHandle: aws.String(held[id]), VisibilityTimeout: int32(after / time.Second),
			})
		}
		// An entry alone fails where its message is no longer there, or visible already.
		if _, err := q.client.ChangeMessageVisibilityBatch(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

func (q *failureQueue) event(context.Context, string) ([]byte, error) { return nil, nil }

func (q *failureQueue) remove(ctx context.Context, id string) error {
	q.mu.Lock()
	receipt := q.held[id]
	q.mu.Unlock()
	if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q.url, ReceiptHandle: &receipt}); err != nil {
		return fmt.Errorf("deleting a message of the %s: %w", q, err)
	}
	q.mu.Lock()
	delete(q.held, id)
	q.mu.Unlock()
	return nil
}

func (q *failureQueue) close(ctx context.Context) error {
	if q.stop == nil { // nothing was collected
		return nil
	}
	q.stop()
	<-q.extending
	if err := q.show(ctx, 0); err != nil {
		return fmt.Errorf("the messages of the %s that are left are visible again in %s at the latest: %w", q, hidden, err)
	}
	return nil
}

// failureBucket is a bucket of reports with their events. Nothing keeps another gen from taking the same at the same time.
type failureBucket struct {
	client *s3.Client
	name   string
}

func (p place) failureBucket(settings aws.Config, name string) *failureBucket {
	client := s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = p.env.local() })
	return &failureBucket{client, name}
}

func (b *failureBucket) String() string { return "bucket " + b.name }

func (b *failureBucket) collect(ctx context.Context, take takeReport) error {
	// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: aws.String("aws/lambda/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the %s: %w", b, err)
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			text, err := b.get(ctx, key)
			if isCode(err, "NoSuchKey") { // somebody else deleted it
				continue
			}
			if err != nil {
				return err
			}
			report, err := parseMessage(text)
			report.Event = nil // of all of them there may be too much
			if !take(key, report, err) {
				return nil
			}
		}
	}
	return nil
}

func (b *failureBucket) get(ctx context.Context, key string) (text []byte, err error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err == nil {
		text, err = io.ReadAll(out.Body)
		err = errors.Join(err, out.Body.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of the %s: %w", key, b, err)
	}
	return text, nil
}

func (b *failureBucket) event(ctx context.Context, key string) ([]byte, error) {
	text, err := b.get(ctx, key)
	if err != nil {
		return nil, err
	}
	r, err := parseMessage(text)
	return r.Event, err
}

func (b *failureBucket) remove(ctx context.Context, key string) error {
	if _, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}); err != nil {
		return fmt.Errorf("deleting %s of the %s: %w", key, b, err)
	}
	return nil
}

func (b *failureBucket) close(context.Context) error { return nil }

// failureFile is a file of reports, or stdin. Nothing is ever deleted from it.
type failureFile struct {
	name    string
	reports []records.Report
}

func openFailureFile(std streams, start, file string) (*failureFile, error) {
	text, err := readInput(std, start, file)
	if err != nil {
		return nil, err
	}
	reports, err := records.ParseReports(text)
	if err != nil {
		return nil, usagef("--from %s: %w", file, err)
	}
	return &failureFile{file, reports}, nil
}

func (f *failureFile) String() string { return "file " + f.name }

func (f *failureFile) collect(_ context.Context, take takeReport) error {
	for i, r := range f.reports {
		if !take(strconv.Itoa(i), r, nil) {
			break
		}
	}
	return nil
}

func (f *failureFile) event(_ context.Context, id string) ([]byte, error) {
	i, err := strconv.Atoi(id)
	if err != nil {
		return nil, err
	}
	return f.reports[i].Event, nil
}

func (f *failureFile) remove(context.Context, string) error { return nil }

func (f *failureFile) close(context.Context) error { return nil }

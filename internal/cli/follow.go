package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"golang.org/x/sync/errgroup"

	"streamgen/internal/records"
)

// streamsAPI is what is asked of DynamoDB Streams.
type streamsAPI interface {
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// describeStream gives a stream with all its shards.
func describeStream(ctx context.Context, client streamsAPI, arn string) (*types.StreamDescription, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn}
	var whole *types.StreamDescription
	for {
		out, err := client.DescribeStream(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("describing the stream %s: %w", arn, err)
		}
		if whole == nil {
			whole = out.StreamDescription
		} else {
			whole.Shards = append(whole.Shards, out.StreamDescription.Shards...)
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return whole, nil
		}
	}
}

// follower reads a stream's shards, a parent before its children, until it is told to stop or the stream has ended.
type follower struct {
	client         streamsAPI
	stream, region string
	// latest leaves out what was written before it began.
	latest bool
	// shard is the only one to read; empty for all.
	shard string
	// last is by shard up to where somebody else has read it. What follows such a shard is read from its beginning.
	last map[string]string
	// take gets the records of a shard, in order and one call at a time. errEnough ends the reading.
	take func([]records.Record) error
	// tell tells the story; sleep rests, and pause is for how long when there is nothing to read.
	tell  func(format string, args ...any)
	sleep func(context.Context, time.Duration) error
	pause time.Duration

	mu     sync.Mutex // of take and of stale
	stale  bool       // there may be shards that are not known yet
	shards []*shardPlace
}

// errEnough ends a reading that has what it wanted.
var errEnough = errors.New("enough")

// shardPlace is how far one shard is read.
type shardPlace struct {
	id, parent string
	// iterator is where the next read begins; nil asks for a new one, after last, or where that is empty at the place of kind.
	iterator *string
	last     string
	kind     types.ShardIteratorType
	done     bool
	// throttled counts the refusals since the last read.
	throttled int
}

// run reads until ctx ends, take has enough, or nothing more can come.
func (f *follower) run(ctx context.Context) error {
	const describeEvery = 40 // rounds
	f.stale = true
	for round := 0; ; round++ {
		if f.stale || round%describeEvery == 0 {
			ended, err := f.describe(ctx)
			if err != nil || ended {
				return err
			}
		}
		read, err := f.round(ctx)
		switch {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		case read > 0:
			continue
		}
		if err := f.sleep(ctx, f.pause); err != nil {
			return err
		}
	}
}

// describe looks which shards there are. ended says that all of them are read and that there will be no others.
func (f *follower) describe(ctx context.Context) (ended bool, err error) {
	first := f.shards == nil
	f.stale = false
	about, err := describeStream(ctx, f.client, f.stream)
	if err != nil {
		return false, err
	}
	found := false
	for _, s := range about.Shards {
		id, parent := aws.ToString(s.ShardId), aws.ToString(s.ParentShardId)
		found = found || id == f.shard
		known := slices.ContainsFunc(f.shards, func(k *shardPlace) bool { return k.id == id })
		if known || f.shard != "" && id != f.shard {
			continue
		}
		k := &shardPlace{id: id, parent: parent, last: f.last[id], kind: types.ShardIteratorTypeTrimHorizon}
		if first && f.latest && k.last == "" && !f.follows(about.Shards, parent) {
			k.kind = types.ShardIteratorTypeLatest
			k.done = s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil
			if !k.done {
				if err := f.locate(ctx, k); err != nil { // now, before anything is written that would be missed
					return false, err
				}
			}
		}
		f.shards = append(f.shards, k)
	}
	if f.shard != "" && !found && first {
		return false, usagef("the stream has no shard %s", f.shard)
	}
	allDone := !slices.ContainsFunc(f.shards, func(k *shardPlace) bool { return !k.done })
	return allDone && (about.StreamStatus == types.StreamStatusDisabled || f.shard != ""), nil
}

// follows reports whether a shard descends from one that somebody else has read.
func (f *follower) follows(all []types.Shard, parent string) bool {
	for parent != "" {
		if f.last[parent] != "" {
			return true
		}
		i := slices.IndexFunc(all, func(s types.Shard) bool { return aws.ToString(s.ShardId) == parent })
		if i < 0 {
			return false
		}
		parent = aws.ToString(all[i].ParentShardId)
	}
	return false
}

// round reads once from each shard that is due, and gives how many records there were.
func (f *follower) round(ctx context.Context) (read int, err error) {
	const atOnce = 8
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var due []*shardPlace // all of them before the first is read, which may be done with it
	for _, k := range f.shards {
		parentOpen := slices.ContainsFunc(f.shards, func(p *shardPlace) bool { return p.id == k.parent && !p.done })
		if !k.done && !parentOpen {
			due = append(due, k)
		}
	}
	for _, k := range due {
		group.Go(func() error {
			n, err := f.read(ctx, k)
			mu.Lock()
			defer mu.Unlock()
			read += n
			return err
		})
	}
	return read, group.Wait()
}

// locate gets an iterator of the shard.
func (f *follower) locate(ctx context.Context, k *shardPlace) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &f.stream, ShardId: &k.id, ShardIteratorType: k.kind}
	if k.last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &k.last
	}
	out, err := f.client.GetShardIterator(ctx, in)
	if err != nil {
		return err
	}
	k.iterator = out.ShardIterator
	return nil
}

// read reads once from a shard.
func (f *follower) read(ctx context.Context, k *shardPlace) (n int, err error) {
	if k.iterator == nil {
		if err := f.locate(ctx, k); err != nil {
			return 0, f.recover(ctx, k, err)
		}
	}
	out, err := f.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: k.iterator})
	if err != nil {
		return 0, f.recover(ctx, k, err)
	}
	k.throttled = 0
	list := make([]records.Record, len(out.Records))
	for i, r := range out.Records {
		if list[i], err = lambdaRecord(r, f.stream, f.region); err != nil {
			return 0, err
		}
		list[i].Shard = k.id
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(list) > 0 {
		if err := f.take(list); err != nil {
			return len(list), err
		}
		k.last = list[len(list)-1].Sequence
	}
	if k.iterator = out.NextShardIterator; k.iterator == nil {
		k.done, f.stale = true, true // its children may be read now
	}
	return len(list), nil
}

// recover goes on after an error where it can: an iterator that expired, records that the stream has no more, and requests that are too many.
func (f *follower) recover(ctx context.Context, k *shardPlace, err error) error {
	switch {
	case isThrottled(err):
		if k.throttled++; k.throttled == 1 {
			f.tell("gen: DynamoDB is asked too often for shard %s; going slower\n", records.Short(k.id))
		}
		return f.sleep(ctx, throttledPause(k.throttled))
	case isCode(err, "ExpiredIteratorException"):
		k.iterator = nil
		if k.last == "" && k.kind == types.ShardIteratorTypeLatest {
			f.tell("gen: nothing was read from shard %s for so long that its iterator expired: what was written meanwhile is missing\n", records.Short(k.id))
		}
		return nil
	case isCode(err, "TrimmedDataAccessException"):
		f.tell("gen: shard %s: the stream has no more what follows record %s, 24 hours after it was written; going on with the oldest that it has\n", records.Short(k.id), k.last)
		k.iterator, k.last, k.kind = nil, "", types.ShardIteratorTypeTrimHorizon
		return nil
	case isCode(err, "ResourceNotFoundException"):
		f.tell("gen: shard %s is gone: what was left in it was older than 24 hours\n", records.Short(k.id))
		f.mu.Lock()
		defer f.mu.Unlock()
		k.done, f.stale = true, true
		return nil
	}
	return fmt.Errorf("reading shard %s: %w", k.id, err)
}

// throttledPause is how long to wait after the n-th refusal of a shard.
func throttledPause(n int) time.Duration {
	const most = 10 * time.Second
	return min(most, 250*time.Millisecond<<min(n, 10))
}

// lambdaRecord makes of a record of the Streams API the one that Lambda makes of it.
func lambdaRecord(r types.Record, stream, region string) (records.Record, error) {
	w := records.Wire{
		EventID: aws.ToString(r.EventID), EventName: string(r.EventName), EventVersion: aws.ToString(r.EventVersion), EventSource: aws.ToString(r.EventSource),
		Region: aws.ToString(r.AwsRegion), StreamARN: stream,
	}
	if w.Region == "" {
		w.Region = region
	}
	if d := r.Dynamodb; d != nil {
		w.Change = records.WireChange{
			At: records.Seconds(aws.ToTime(d.ApproximateCreationDateTime).Unix()), SequenceNumber: aws.ToString(d.SequenceNumber),
			SizeBytes: aws.ToInt64(d.SizeBytes), ViewType: string(d.StreamViewType),
		}
		for _, image := range []struct {
			from map[string]types.AttributeValue
			to   *records.Image
		}{{d.Keys, &w.Change.Keys}, {d.NewImage, &w.Change.New}, {d.OldImage, &w.Change.Old}} {
			var err error
			if *image.to, err = imageOf(image.from); err != nil {
				return records.Record{}, err
			}
		}
	}
	if i := r.UserIdentity; i != nil {
		w.Identity = &records.WireIdentity{Type: aws.ToString(i.Type), PrincipalID: aws.ToString(i.PrincipalId)}
	}
	return w.Record()
}

func imageOf(attributes map[string]types.AttributeValue) (records.Image, error) {
	if attributes == nil {
		return nil, nil
	}
	image := make(records.Image, len(attributes))
	for name, v := range attributes {
		typed, err := typedValue(v)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false) // Lambda does not
		if err := e.Encode(typed); err != nil {
			return nil, err
		}
		image[name] = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
	return image, nil
}

// typedValue is a value as DynamoDB's JSON has it.
func typedValue(v types.AttributeValue) (map[string]any, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}, nil
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}, nil
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}, nil // base64, as encoding/json writes bytes
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}, nil
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}, nil
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}, nil
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}, nil
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}, nil
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			var err error
			if list[i], err = typedValue(e); err != nil {
				return nil, err
			}
		}
		return map[string]any{"L": list}, nil
	case *types.AttributeValueMemberM:
		fields := make(map[string]any, len(v.Value))
		for name, e := range v.Value {
			var err error
			if fields[name], err = typedValue(e); err != nil {
				return nil, err
			}
		}
		return map[string]any{"M": fields}, nil
	}
	return nil, fmt.Errorf("the stream has a value of a type that this gen does not know: %T", v)
}

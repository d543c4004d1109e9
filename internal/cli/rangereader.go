package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"streamgen/internal/records"
)

// rangeReader reads the records again that reports are about. Reports of a shard are cheapest in the order of their records: what was read
// for one serves the next.
type rangeReader struct {
	client streamsAPI
	region string
	tell   func(format string, args ...any)
	sleep  func(context.Context, time.Duration) error

	stream, shard string
	// page is what was read last, next where the shard goes on; nil at its end.
	page []records.Record
	next *string
}

// read gives what the stream still has of a report's range. missing says why that is not all of it.
func (r *rangeReader) read(ctx context.Context, report records.Report) (list []records.Record, missing string, err error) {
	const trimmed = "DynamoDB keeps records for 24 hours"
	if !r.has(report) {
		r.stream, r.shard = report.StreamARN, report.Shard
		err := r.locate(ctx, types.ShardIteratorTypeAtSequenceNumber, &report.First)
		if isCode(err, "TrimmedDataAccessException") {
			missing = trimmed
			err = r.locate(ctx, types.ShardIteratorTypeTrimHorizon, nil)
		}
		switch {
		case isCode(err, "ResourceNotFoundException"):
			return nil, fmt.Sprintf("the stream, or its shard %s, is gone: %s", report.Shard, trimmed), nil
		case isCode(err, "ValidationException"): // a number that the shard never had
			return nil, messageOf(err), nil
		case err != nil:
			return nil, "", err
		}
	}
	const most = 20 // empty pages: a shard that is open has no end
	for empty := 0; empty < most; {
		for _, record := range r.page {
			after := len(list) == 0 || records.CompareSequence(list[len(list)-1].Sequence, record.Sequence) < 0
			if after && report.Holds(record.Sequence) {
				list = append(list, record)
			}
		}
		if n := len(r.page); n > 0 && records.CompareSequence(report.Last, r.page[n-1].Sequence) <= 0 || r.next == nil {
			break
		}
		err := r.advance(ctx)
		switch {
		case isCode(err, "TrimmedDataAccessException"): // while it was read
			missing = trimmed
			err = r.locate(ctx, types.ShardIteratorTypeTrimHorizon, nil)
		case isCode(err, "ExpiredIteratorException"):
			from, kind := report.First, types.ShardIteratorTypeAtSequenceNumber
			if len(list) > 0 {
				from, kind = list[len(list)-1].Sequence, types.ShardIteratorTypeAfterSequenceNumber
			}
			err = r.locate(ctx, kind, &from)
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading shard %s: %w", r.shard, err)
		}
		if len(r.page) == 0 {
			empty++
		}
	}
	if whole := len(list) > 0 && list[0].Sequence == report.First && list[len(list)-1].Sequence == report.Last; !whole && missing == "" {
		missing = "the stream does not have all of them"
	}
	return list, missing, nil
}

// has reports whether a report's first record is on the page.
func (r *rangeReader) has(report records.Report) bool {
	n := len(r.page)
	return n > 0 && r.stream == report.StreamARN && r.shard == report.Shard &&
		records.CompareSequence(r.page[0].Sequence, report.First) <= 0 && records.CompareSequence(report.First, r.page[n-1].Sequence) <= 0
}

// locate goes to a place in the shard.
func (r *rangeReader) locate(ctx context.Context, kind types.ShardIteratorType, sequence *string) error {
	r.page, r.next = nil, nil
	return r.patiently(ctx, func() error {
		out, err := r.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &r.stream, ShardId: &r.shard, ShardIteratorType: kind, SequenceNumber: sequence,
		})
		if err == nil {
			r.next = out.ShardIterator
		}
		return err
	})
}

// advance reads the next page.
func (r *rangeReader) advance(ctx context.Context) error {
	return r.patiently(ctx, func() error {
		out, err := r.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: r.next})
		if err != nil {
			return err
		}
		r.page = make([]records.Record, len(out.Records))
		for i, record := range out.Records {
			if r.page[i], err = lambdaRecord(record, r.stream, r.region); err != nil {
				return err
			}
			r.page[i].Shard = r.shard
		}
		r.next = out.NextShardIterator
		return nil
	})
}

// patiently asks again when DynamoDB was asked too often.
func (r *rangeReader) patiently(ctx context.Context, ask func() error) error {
	for n := 0; ; n++ {
		err := ask()
		if !isThrottled(err) {
			return err
		}
		if n == 0 {
			r.tell("gen: DynamoDB is asked too often for shard %s; going slower\n", records.Short(r.shard))
		}
		if err := r.sleep(ctx, throttledPause(n)); err != nil {
			return err
		}
	}
}

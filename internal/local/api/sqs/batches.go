package sqs

import (
	"context"
	"errors"
	"regexp"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Limits of a batch. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const (
	mostEntries = 10
	mostBatched = 1 << 20 // bytes of all messages
)

var entryID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

// batchOutput has an entry of one of the two lists for each of the request.
type batchOutput[E any] struct {
	Successful []E
	Failed     []failedEntry
}

// each does what a batch asks for, entry by entry. What is wrong with one is in the answer.
func each[In, Out any](entries []In, id func(In) string, do func(In) (Out, error)) (*batchOutput[Out], error) {
	seen := map[string]bool{}
	switch {
	case len(entries) == 0:
		return nil, wire.Errorf("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
	case len(entries) > mostEntries:
		return nil, wire.Errorf("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", mostEntries, len(entries))
	}
	for _, e := range entries {
		switch name := id(e); {
		case !entryID.MatchString(name):
			return nil, wire.Errorf("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[name]:
			return nil, wire.Errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", name)
		default:
			seen[name] = true
		}
	}
	out := &batchOutput[Out]{Successful: []Out{}, Failed: []failedEntry{}}
	for _, e := range entries {
		done, err := do(e)
		if err == nil {
			out.Successful = append(out.Successful, done)
			continue
		}
		failed := failedEntry{Id: id(e), Code: "InternalError", Message: err.Error()}
		var ours *wire.Error
		var theirs *control.Error
		switch {
		case errors.As(err, &ours):
			failed.Code, failed.Message, failed.SenderFault = ours.Code, ours.Message, true
		case errors.As(err, &theirs):
			if theirs.Code == "QueueDoesNotExist" {
				return nil, err
			}
			failed.Code, failed.Message, failed.SenderFault = theirs.Code, theirs.Message, true
		}
		out.Failed = append(out.Failed, failed)
	}
	return out, nil
}

type sendEntry struct {
	Id                string
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]messageAttribute
}

type sendMessageBatchInput struct {
	QueueUrl string
	Entries  []sendEntry
}

type sentEntry struct {
	Id string
	sendMessageOutput
}

func (s service) sendMessageBatch(ctx context.Context, in *sendMessageBatchInput) (*batchOutput[sentEntry], error) {
	size := 0
	for _, e := range in.Entries {
		size += len(e.MessageBody)
	}
	if size > mostBatched {
		return nil, wire.Errorf("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", mostBatched, size)
	}
	return each(in.Entries, func(e sendEntry) string { return e.Id }, func(e sendEntry) (sentEntry, error) {
		out, err := s.sendMessage(ctx, &sendMessageInput{in.QueueUrl, e.MessageBody, e.DelaySeconds, e.MessageAttributes})
		if err != nil {
			return sentEntry{}, err
		}
		return sentEntry{e.Id, *out}, nil
	})
}

type receiptEntry struct{ Id, ReceiptHandle string }

type deleteMessageBatchInput struct {
	QueueUrl string
	Entries  []receiptEntry
}

type doneEntry struct{ Id string }

func (s service) deleteMessageBatch(ctx context.Context, in *deleteMessageBatchInput) (*batchOutput[doneEntry], error) {
	return each(in.Entries, func(e receiptEntry) string { return e.Id }, func(e receiptEntry) (doneEntry, error) {
		_, err := s.deleteMessage(ctx, &receiptInput{in.QueueUrl, e.ReceiptHandle})
		return doneEntry{e.Id}, err
	})
}

type visibilityEntry struct {
	Id, ReceiptHandle string
	VisibilityTimeout int
}

type changeVisibilityBatchInput struct {
	QueueUrl string
	Entries  []visibilityEntry
}

func (s service) changeMessageVisibilityBatch(ctx context.Context, in *changeVisibilityBatchInput) (*batchOutput[doneEntry], error) {
	return each(in.Entries, func(e visibilityEntry) string { return e.Id }, func(e visibilityEntry) (doneEntry, error) {
		_, err := s.changeMessageVisibility(ctx, &changeVisibilityInput{in.QueueUrl, e.ReceiptHandle, e.VisibilityTimeout})
		return doneEntry{e.Id}, err
	})
}

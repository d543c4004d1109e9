package stream

import (
	"encoding/json"
	"errors"
	"strings"
)

// What surrounds the images is read here as Lambda writes it. Whatever is otherwise — a name in another case, which encoding/json and so
// aws-lambda-go also take, or a value of another type — is left to encoding/json, which takes it or says what is wrong.

var errUnusual = errors.New("left to encoding/json")

// readEvent takes an event apart; its records are as they came.
func readEvent(payload []byte) (e event, ok bool) {
	if !json.Valid(payload) {
		return e, false
	}
	err := walk(payload, func(name, value []byte) (err error) {
		switch string(name) {
		case "Records":
			e.Records, err = readRecords(value)
		case "window":
			e.Window = value
		case "state":
			e.State = value
		case "shardId":
			err = readText(value, &e.ShardID)
		case "eventSourceARN":
			err = readText(value, &e.EventSourceARN)
		case "isFinalInvokeForWindow":
			err = readBool(value, &e.IsFinalInvokeForWindow)
		case "isWindowTerminatedEarly":
			err = readBool(value, &e.IsWindowTerminatedEarly)
		default:
			err = inOtherCase(name, "Records", "window", "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow", "isWindowTerminatedEarly")
		}
		return err
	})
	return e, err == nil
}

func readRecords(value []byte) ([]json.RawMessage, error) {
	elements, err := elementsOf(value)
	if err != nil {
		return nil, err
	}
	records := make([]json.RawMessage, len(elements))
	for i, e := range elements {
		records[i] = e
	}
	return records, nil
}

// readRecord takes a record apart, and what DynamoDB says in it; the images are as they came.
func readRecord(raw []byte) (r record, ok bool) {
	err := walk(raw, func(name, value []byte) (err error) {
		switch string(name) {
		case "eventID":
			err = readText(value, &r.EventID)
		case "eventName":
			err = readText(value, &r.EventName)
		case "eventSourceARN":
			err = readText(value, &r.EventSourceARN)
		case "userIdentity":
			err = readIdentity(value, &r.UserIdentity)
		case "dynamodb":
			r.DynamoDB = value
			err = readChange(value, &r.change)
		default:
			err = inOtherCase(name, "eventID", "eventName", "eventSourceARN", "userIdentity", "dynamodb")
		}
		return err
	})
	return r, err == nil
}

func readChange(value []byte, s *streamRecord) error {
	return walk(value, func(name, value []byte) (err error) {
		switch string(name) {
		case "ApproximateCreationDateTime":
			s.ApproximateCreationDateTime = value
		case "Keys":
			s.Keys = value
		case "NewImage":
			s.NewImage = value
		case "OldImage":
			s.OldImage = value
		case "SequenceNumber":
			err = readText(value, &s.SequenceNumber)
		default:
			err = inOtherCase(name, "ApproximateCreationDateTime", "Keys", "NewImage", "OldImage", "SequenceNumber")
		}
		return err
	})
}

func readIdentity(value []byte, i *identity) error {
	if string(value) == "null" {
		return nil
	}
	return walk(value, func(name, value []byte) (err error) {
		switch string(name) {
		case "type":
			err = readText(value, &i.Type)
		case "principalId":
			err = readText(value, &i.PrincipalID)
		default:
			err = inOtherCase(name, "type", "principalId")
		}
		return err
	})
}

func readText(value []byte, to *string) (err error) {
	*to, err = unquote(value)
	return err
}

func readBool(value []byte, to *bool) (err error) {
	*to, err = decodeBool(value)
	return err
}

// inOtherCase reports a name that differs from one of ours in nothing but case.
func inOtherCase(name []byte, ours ...string) error {
	for _, our := range ours {
		if strings.EqualFold(string(name), our) {
			return errUnusual
		}
	}
	return nil
}

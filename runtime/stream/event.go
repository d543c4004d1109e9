package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// event is an invocation's payload. Each record stays undecoded, so that a malformed one fails alone. The members after Records
// are those of a tumbling window.
type event struct {
	Records                 []json.RawMessage
	Window                  json.RawMessage `json:"window"`
	State                   json.RawMessage `json:"state"`
	ShardID                 string          `json:"shardId"`
	EventSourceARN          string          `json:"eventSourceARN"`
	IsFinalInvokeForWindow  bool            `json:"isFinalInvokeForWindow"`
	IsWindowTerminatedEarly bool            `json:"isWindowTerminatedEarly"`
}

func parseEvent(payload []byte) (event, error) {
	e, ok := readEvent(payload)
	if !ok {
		e = event{}
		if err := json.Unmarshal(payload, &e); err != nil {
			return e, fmt.Errorf("decode the event of a DynamoDB stream: %w", err)
		}
	}
	if e.Records == nil && absent(e.Window) {
		return e, errors.New("the event has no Records: the function takes the events of a DynamoDB stream's event source mapping")
	}
	return e, nil
}

// record is one element of an event's Records.
type record struct {
	EventID        string          `json:"eventID"`
	EventName      string          `json:"eventName"`
	EventSourceARN string          `json:"eventSourceARN"`
	UserIdentity   identity        `json:"userIdentity"`
	DynamoDB       json.RawMessage `json:"dynamodb"`

	change streamRecord // what DynamoDB holds
}

// byTTL reports whether DynamoDB made the removal itself.
func (r record) byTTL() bool {
	return Kind(r.EventName) == Remove && r.UserIdentity == identity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
}

type identity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// streamRecord is DynamoDB's StreamRecord. What is decoded later is kept as it came: a bad part of it must not hide
// the sequence number.
type streamRecord struct {
	ApproximateCreationDateTime json.RawMessage
	Keys                        json.RawMessage
	NewImage                    json.RawMessage
	OldImage                    json.RawMessage
	SequenceNumber              string
}

// parseRecord decodes all of a record but its images. With an error it still gives all that could be read.
func parseRecord(raw json.RawMessage) (record, error) {
	r, ok := readRecord(raw)
	var err error
	if !ok {
		r = record{}
		err = json.Unmarshal(raw, &r)
		if !absent(r.DynamoDB) {
			err = errors.Join(err, json.Unmarshal(r.DynamoDB, &r.change))
		}
	}
	switch {
	case err != nil:
		return r, fmt.Errorf("decode record: %w", err)
	case absent(r.DynamoDB):
		return r, errors.New(`the record has no "dynamodb" member`)
	case r.change.SequenceNumber == "":
		return r, errors.New("the record has no SequenceNumber")
	}
	return r, nil
}

func decodeChange[T any, P Image[T]](r record) (Change[T], error) {
	c := Change[T]{
		EventID:        r.EventID,
		Kind:           Kind(r.EventName),
		SequenceNumber: r.change.SequenceNumber,
		StreamARN:      r.EventSourceARN,
		DynamoDB:       r.DynamoDB,
	}
	switch c.Kind {
	case Insert, Modify:
	case Remove:
		c.ByTTL = r.byTTL()
	default:
		return c, fmt.Errorf("unknown eventName %q", r.EventName)
	}

	var err error
	if c.CreatedAt, err = epochSeconds(r.change.ApproximateCreationDateTime); err != nil {
		return c, fmt.Errorf("decode ApproximateCreationDateTime: %w", err)
	}
	keys, err := decodeItem[T, P](r.change.Keys)
	if err != nil {
		return c, fmt.Errorf("decode Keys: %w", err)
	}
	if keys == nil {
		return c, errors.New("the record has no Keys")
	}
	c.Keys = *keys
	if c.Old, err = decodeItem[T, P](r.change.OldImage); err != nil {
		return c, fmt.Errorf("decode OldImage: %w", err)
	}
	if c.New, err = decodeItem[T, P](r.change.NewImage); err != nil {
		return c, fmt.Errorf("decode NewImage: %w", err)
	}
	return c, nil
}

func decodeItem[T any, P Image[T]](image json.RawMessage) (*T, error) {
	if absent(image) {
		return nil, nil
	}
	item := new(T)
	if err := P(item).UnmarshalImage(image); err != nil {
		return nil, err
	}
	return item, nil
}

func absent(m json.RawMessage) bool { return len(m) == 0 || string(m) == "null" }

// epochSeconds decodes a time in seconds since 1970. AWS has sent it as 1733418659, 1733418659.0 and 1.733418659E9.
func epochSeconds(m json.RawMessage) (time.Time, error) {
	if absent(m) {
		return time.Time{}, nil
	}
	const endOf9999 = 253402300799
	seconds, err := strconv.ParseFloat(string(m), 64)
	if err != nil || seconds < 0 || seconds > endOf9999 {
		return time.Time{}, errors.New("not a number of seconds since 1970")
	}
	whole, fraction := math.Modf(seconds)
	// A float64 holds today's seconds to a quarter of a microsecond; what lies below is not AWS's.
	microseconds := int64(math.Round(fraction * 1e6))
	return time.Unix(int64(whole), microseconds*int64(time.Microsecond)).UTC(), nil
}

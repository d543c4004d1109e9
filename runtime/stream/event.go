package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// event is an invocation's payload. Its images are found and not yet read, so that a malformed record fails alone. Everything in it is a
// part of one string: the payload's own memory is used again by the next invocation.
type event struct {
	records []record
	// What follows is there with a tumbling window only.
	window, state, shardID, streamARN string
	final, terminatedEarly            bool
}

// record is one element of an event's Records. What is not there is empty; null is not there.
type record struct {
	eventID, eventName, streamARN string
	identity                      identity
	// raw is the record as it came.
	raw string
	// dynamodb is all that DynamoDB says of the change; what follows are parts of it, as they came.
	dynamodb                            string
	createdAt, keys, newImage, oldImage string
	sequenceNumber                      string
	// err says why the record cannot be read. All that could be read is there nevertheless.
	err error
}

type identity struct{ Type, PrincipalID string }

// byTTL reports whether DynamoDB made the removal itself.
func (r *record) byTTL() bool {
	return Kind(r.eventName) == Remove && r.identity == identity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
}

func parseEvent(payload []byte) (event, error) {
	text := string(payload)
	e, ok := readEvent(text)
	if !ok {
		var err error
		if e, err = decodeEvent(text); err != nil {
			return e, fmt.Errorf("decode the event of a DynamoDB stream: %w", err)
		}
	}
	if e.records == nil && e.window == "" {
		return e, errors.New("the event has no Records: the function takes the events of a DynamoDB stream's event source mapping")
	}
	return e, nil
}

// What Lambda writes is read in one go. Whatever is otherwise — a name in another case, which encoding/json and so aws-lambda-go also
// take, or a value of another type — is left to encoding/json, which takes it or says what is wrong.

var errUnusual = errors.New("left to encoding/json")

func readEvent(text string) (e event, ok bool) {
	c := cursor{s: text}
	if !c.take('{') {
		return e, false
	}
	for first := true; c.next('}', &first); {
		switch name := c.key(); name {
		case "Records":
			e.records = readRecords(&c)
		case "window":
			e.window = c.value()
		case "state":
			e.state = c.value()
		case "shardId":
			e.shardID = c.text()
		case "eventSourceARN":
			e.streamARN = c.text()
		case "isFinalInvokeForWindow":
			e.final = c.bool()
		case "isWindowTerminatedEarly":
			e.terminatedEarly = c.bool()
		default:
			c.other(name, "Records", "window", "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow", "isWindowTerminatedEarly")
		}
	}
	return e, c.err == nil && c.peek() == 0 && c.i == len(c.s)
}

func readRecords(c *cursor) []record {
	if !c.take('[') {
		c.fail(errUnusual)
		return nil
	}
	// A record has some 600 bytes with nothing in its images; a few too many cost less than to move them all.
	records := make([]record, 0, 1+(len(c.s)-c.i)/1000)
	for first := true; c.next(']', &first); {
		c.peek()
		start := *c
		records = append(records, record{})
		r := &records[len(records)-1]
		if readRecord(c, r); c.err != nil {
			*c = start
			*r = decodeRecord(c.skip())
		}
		r.raw = c.s[start.i:c.i]
		r.check()
	}
	return records
}

func readRecord(c *cursor, r *record) {
	if !c.take('{') {
		c.fail(errUnusual)
		return
	}
	for first := true; c.next('}', &first); {
		switch name := c.key(); name {
		case "eventID":
			r.eventID = c.text()
		case "eventName":
			r.eventName = c.text()
		case "eventSourceARN":
			r.streamARN = c.text()
		case "userIdentity":
			readIdentity(c, &r.identity)
		case "dynamodb":
			c.peek()
			start := c.i
			readChange(c, r)
			r.dynamodb = c.s[start:c.i]
		case "eventVersion", "eventSource", "awsRegion":
			c.skip()
		default:
			c.other(name, "eventID", "eventName", "eventSourceARN", "userIdentity", "dynamodb")
		}
	}
}

func readChange(c *cursor, r *record) {
	if !c.take('{') {
		c.fail(errUnusual)
		return
	}
	for first := true; c.next('}', &first); {
		switch name := c.key(); name {
		case "ApproximateCreationDateTime":
			r.createdAt = c.value()
		case "Keys":
			r.keys = c.value()
		case "NewImage":
			r.newImage = c.value()
		case "OldImage":
			r.oldImage = c.value()
		case "SequenceNumber":
			r.sequenceNumber = c.text()
		case "SizeBytes", "StreamViewType":
			c.skip()
		default:
			c.other(name, "ApproximateCreationDateTime", "Keys", "NewImage", "OldImage", "SequenceNumber")
		}
	}
}

func readIdentity(c *cursor, i *identity) {
	if c.peek() == 'n' {
		c.value() // null
		return
	}
	if !c.take('{') {
		c.fail(errUnusual)
		return
	}
	for first := true; c.next('}', &first); {
		switch name := c.key(); name {
		case "type":
			i.Type = c.text()
		case "principalId":
			i.PrincipalID = c.text()
		default:
			c.other(name, "type", "principalId")
		}
	}
}

// value gives a value's text; empty for null.
func (c *cursor) value() string {
	if text := c.skip(); text != "null" {
		return text
	}
	return ""
}

func (c *cursor) bool() bool {
	text := c.skip()
	if text != "true" && text != "false" {
		c.fail(errUnusual)
	}
	return text == "true"
}

// other steps over a member of no interest, unless its name differs from one of ours in nothing but case.
func (c *cursor) other(name string, ours ...string) {
	for _, our := range ours {
		if strings.EqualFold(name, our) {
			c.fail(errUnusual)
		}
	}
	c.skip()
}

func decodeEvent(text string) (event, error) {
	var raw struct {
		Records                 []json.RawMessage
		Window                  json.RawMessage `json:"window"`
		State                   json.RawMessage `json:"state"`
		ShardID                 string          `json:"shardId"`
		EventSourceARN          string          `json:"eventSourceARN"`
		IsFinalInvokeForWindow  bool            `json:"isFinalInvokeForWindow"`
		IsWindowTerminatedEarly bool            `json:"isWindowTerminatedEarly"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return event{}, err
	}
	e := event{
		window: present(raw.Window), state: present(raw.State), shardID: raw.ShardID, streamARN: raw.EventSourceARN,
		final: raw.IsFinalInvokeForWindow, terminatedEarly: raw.IsWindowTerminatedEarly,
	}
	if raw.Records != nil {
		e.records = make([]record, len(raw.Records))
	}
	for i, r := range raw.Records {
		e.records[i] = decodeRecord(string(r))
		e.records[i].check()
	}
	return e, nil
}

func decodeRecord(text string) record {
	var raw struct {
		EventID        string          `json:"eventID"`
		EventName      string          `json:"eventName"`
		EventSourceARN string          `json:"eventSourceARN"`
		UserIdentity   identity        `json:"userIdentity"`
		DynamoDB       json.RawMessage `json:"dynamodb"`
	}
	var change struct {
		ApproximateCreationDateTime, Keys, NewImage, OldImage json.RawMessage
		SequenceNumber                                        string
	}
	err := json.Unmarshal([]byte(text), &raw)
	if present(raw.DynamoDB) != "" {
		err = errors.Join(err, json.Unmarshal(raw.DynamoDB, &change))
	}
	return record{
		raw: text, eventID: raw.EventID, eventName: raw.EventName, streamARN: raw.EventSourceARN, identity: raw.UserIdentity,
		dynamodb: present(raw.DynamoDB), createdAt: present(change.ApproximateCreationDateTime),
		keys: present(change.Keys), newImage: present(change.NewImage), oldImage: present(change.OldImage),
		sequenceNumber: change.SequenceNumber, err: err,
	}
}

func present(m json.RawMessage) string {
	if string(m) == "null" {
		return ""
	}
	return string(m)
}

// check notes what a record lacks.
func (r *record) check() {
	switch {
	case r.err != nil:
		r.err = fmt.Errorf("decode record: %w", r.err)
	case r.dynamodb == "":
		r.err = errors.New(`the record has no "dynamodb" member`)
	case r.sequenceNumber == "":
		r.err = errors.New("the record has no SequenceNumber")
	}
}

// decodeChange reads a record's images. decoder lends its memory.
func decodeChange[T any, P Image[T]](d *Decoder, r *record) (Change[T], error) {
	c := Change[T]{
		EventID:        r.eventID,
		Kind:           Kind(r.eventName),
		SequenceNumber: r.sequenceNumber,
		StreamARN:      r.streamARN,
		DynamoDB:       JSON(r.dynamodb),
		record:         r,
	}
	switch c.Kind {
	case Insert, Modify:
	case Remove:
		c.ByTTL = r.byTTL()
	default:
		return c, fmt.Errorf("unknown eventName %q", r.eventName)
	}

	var err error
	if c.CreatedAt, err = epochSeconds(r.createdAt); err != nil {
		return c, fmt.Errorf("decode ApproximateCreationDateTime: %w", err)
	}
	if r.keys == "" {
		return c, errors.New("the record has no Keys")
	}
	// One allocation for all three.
	images := new(struct{ keys, old, new T })
	if err := decodeImage(d, r.keys, P(&images.keys)); err != nil {
		return c, fmt.Errorf("decode Keys: %w", err)
	}
	c.Keys = images.keys
	if r.oldImage != "" {
		if err := decodeImage(d, r.oldImage, P(&images.old)); err != nil {
			return c, fmt.Errorf("decode OldImage: %w", err)
		}
		c.Old = &images.old
	}
	if r.newImage != "" {
		if err := decodeImage(d, r.newImage, P(&images.new)); err != nil {
			return c, fmt.Errorf("decode NewImage: %w", err)
		}
		c.New = &images.new
	}
	return c, nil
}

func decodeImage(d *Decoder, image string, it interface{ UnmarshalImage(*Decoder) }) error {
	d.start(image)
	if d.err == nil {
		it.UnmarshalImage(d)
	}
	return d.err
}

// epochSeconds decodes a time in seconds since 1970. AWS has sent it as 1733418659, 1733418659.0 and 1.733418659E9.
func epochSeconds(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	const endOf9999 = 253402300799
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > endOf9999 {
		return time.Time{}, errors.New("not a number of seconds since 1970")
	}
	whole, fraction := math.Modf(seconds)
	// A float64 holds today's seconds to a quarter of a microsecond; what lies below is not AWS's.
	microseconds := int64(math.Round(fraction * 1e6))
	return time.Unix(int64(whole), microseconds*int64(time.Microsecond)).UTC(), nil
}

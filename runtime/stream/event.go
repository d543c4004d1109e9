package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// event is an invocation's payload. Its images are found and not yet read, so that a malformed record fails alone. Its texts are the
// payload's own memory, which is used again for the next invocation: see [Decoder.own].
type event struct {
	records []record
	// What follows is there with a tumbling window only.
	window, state, shardID, streamARN string
	final, terminatedEarly            bool
}

// record is one element of an event's Records, as a text and where its parts are in it. So the parts stay right in a copy of the text.
// A part that is not there is empty; null is not there.
type record struct {
	// text is the record as it came, and behind it what encoding/json has read of a record that is not written as Lambda does.
	text string
	// err says why the record cannot be read. All that could be read is there nevertheless.
	err error

	raw                               span // the record as it came
	eventID, eventName, streamARN     span
	identityType, identityPrincipalID span
	// dynamodb is all that DynamoDB says of the change; what follows are parts of it, as they came.
	dynamodb                            span
	createdAt, keys, newImage, oldImage span
	sequenceNumber                      span
}

// span is a part of a text. Lambda's payloads have 6 MB at most.
type span struct{ from, to uint32 }

// part gives the text of one of the record's spans.
func (r *record) part(s span) string { return r.text[s.from:s.to] }

func (r *record) kind() Kind { return Kind(r.part(r.eventName)) }

// byTTL reports whether DynamoDB made the removal itself.
func (r *record) byTTL() bool {
	return r.kind() == Remove && r.part(r.identityType) == "Service" && r.part(r.identityPrincipalID) == "dynamodb.amazonaws.com"
}

// parseEvent reads a payload. The event is good for as long as the payload's bytes are.
func parseEvent(payload []byte) (event, error) {
	e, ok := readEvent(unsafe.String(unsafe.SliceData(payload), len(payload)))
	if !ok {
		var err error
		if e, err = decodeEvent(payload); err != nil {
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
			c.other(name)
		}
	}
	return e, c.err == nil && c.peek() == 0 && c.i == len(c.s)
}

func readRecords(c *cursor) []record {
	if !c.take('[') {
		c.fail(errUnusual)
		return nil
	}
	records := []record{}
	for first := true; c.next(']', &first); {
		c.peek()
		start, rest := c.i, cursor{s: c.s[c.i:]}
		var r record
		if readRecord(&rest, &r); rest.err == nil {
			r.text, r.raw = rest.s[:rest.i], span{0, uint32(rest.i)}
			c.i += rest.i
		} else {
			r = decodeRecord(c.skip())
		}
		r.check()
		if len(records) == 0 {
			// The records of a batch are about as long as its first, and have some 600 bytes with nothing in their images. A few too many
			// cost less than to move them all.
			records = make([]record, 0, 1+len(rest.s)/max(c.i-start, 500)*9/8)
		}
		records = append(records, r)
	}
	return records
}

// readRecord reads a record at the start of a text.
func readRecord(c *cursor, r *record) {
	if !c.take('{') {
		c.fail(errUnusual)
		return
	}
	for first := true; c.next('}', &first); {
		switch name := c.key(); name {
		case "eventID":
			r.eventID = c.plain()
		case "eventName":
			r.eventName = c.plain()
		case "eventSourceARN":
			r.streamARN = c.plain()
		case "userIdentity":
			readIdentity(c, r)
		case "dynamodb":
			c.peek()
			start := c.i
			readChange(c, r)
			r.dynamodb = span{uint32(start), uint32(c.i)}
		case "eventVersion", "eventSource", "awsRegion":
			c.skip()
		default:
			c.other(name)
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
			r.createdAt = c.span()
		case "Keys":
			r.keys = c.span()
		case "NewImage":
			r.newImage = c.span()
		case "OldImage":
			r.oldImage = c.span()
		case "SequenceNumber":
			r.sequenceNumber = c.plain()
		case "SizeBytes", "StreamViewType":
			c.skip()
		default:
			c.other(name)
		}
	}
}

func readIdentity(c *cursor, r *record) {
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
			r.identityType = c.plain()
		case "principalId":
			r.identityPrincipalID = c.plain()
		default:
			c.other(name)
		}
	}
}

// plain reads a string that is its own text.
func (c *cursor) plain() span {
	if c.peek() == '"' {
		if end, plain := scanPlain(c.s, c.i+1); plain {
			s := span{uint32(c.i + 1), uint32(end)}
			c.i = end + 1
			return s
		}
	}
	c.fail(errUnusual)
	return span{}
}

// span is value, by its place.
func (c *cursor) span() span {
	n := len(c.value())
	return span{uint32(c.i - n), uint32(c.i)}
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
func (c *cursor) other(name string) {
	for _, our := range [...]string{
		"Records", "window", "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow", "isWindowTerminatedEarly",
		"eventID", "eventName", "userIdentity", "type", "principalId",
		"dynamodb", "ApproximateCreationDateTime", "Keys", "NewImage", "OldImage", "SequenceNumber",
	} {
		if strings.EqualFold(name, our) {
			c.fail(errUnusual)
		}
	}
	c.skip()
}

func decodeEvent(payload []byte) (event, error) {
	var raw struct {
		Records                 []json.RawMessage
		Window                  json.RawMessage `json:"window"`
		State                   json.RawMessage `json:"state"`
		ShardID                 string          `json:"shardId"`
		EventSourceARN          string          `json:"eventSourceARN"`
		IsFinalInvokeForWindow  bool            `json:"isFinalInvokeForWindow"`
		IsWindowTerminatedEarly bool            `json:"isWindowTerminatedEarly"`
	}
	if err := json.Unmarshal(payload, &raw); err != nil {
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
		EventID        string `json:"eventID"`
		EventName      string `json:"eventName"`
		EventSourceARN string `json:"eventSourceARN"`
		UserIdentity   struct {
			Type        string `json:"type"`
			PrincipalID string `json:"principalId"`
		} `json:"userIdentity"`
		DynamoDB json.RawMessage `json:"dynamodb"`
	}
	var change struct {
		ApproximateCreationDateTime, Keys, NewImage, OldImage json.RawMessage
		SequenceNumber                                        string
	}
	err := json.Unmarshal([]byte(text), &raw)
	if present(raw.DynamoDB) != "" {
		err = errors.Join(err, json.Unmarshal(raw.DynamoDB, &change))
	}
	r := record{err: err}
	var all strings.Builder
	for _, part := range []struct {
		at   *span
		text string
	}{
		{&r.raw, text},
		{&r.eventID, raw.EventID},
		{&r.eventName, raw.EventName},
		{&r.streamARN, raw.EventSourceARN},
		{&r.identityType, raw.UserIdentity.Type},
		{&r.identityPrincipalID, raw.UserIdentity.PrincipalID},
		{&r.dynamodb, present(raw.DynamoDB)},
		{&r.createdAt, present(change.ApproximateCreationDateTime)},
		{&r.keys, present(change.Keys)},
		{&r.newImage, present(change.NewImage)},
		{&r.oldImage, present(change.OldImage)},
		{&r.sequenceNumber, change.SequenceNumber},
	} {
		from := all.Len()
		all.WriteString(part.text)
		*part.at = span{uint32(from), uint32(all.Len())}
	}
	r.text = all.String()
	return r
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
	case r.part(r.dynamodb) == "":
		r.err = errors.New(`the record has no "dynamodb" member`)
	case r.part(r.sequenceNumber) == "":
		r.err = errors.New("the record has no SequenceNumber")
	}
}

// decodeChange reads the images of a record, whose text must be the change's own. decoder lends its memory.
func decodeChange[T any, P Image[T]](d *Decoder, own *record) (Change[T], error) {
	// One allocation for the record and its three images.
	kept := &struct {
		record         record
		keys, old, new T
	}{record: *own}
	r := &kept.record
	c := Change[T]{
		EventID:        r.part(r.eventID),
		Kind:           r.kind(),
		SequenceNumber: r.part(r.sequenceNumber),
		StreamARN:      r.part(r.streamARN),
		DynamoDB:       JSON(r.part(r.dynamodb)),
		record:         r,
	}
	switch c.Kind {
	case Insert, Modify:
	case Remove:
		c.ByTTL = r.byTTL()
	default:
		return c, fmt.Errorf("unknown eventName %q", c.Kind)
	}

	var err error
	if c.CreatedAt, err = epochSeconds(r.part(r.createdAt)); err != nil {
		return c, fmt.Errorf("decode ApproximateCreationDateTime: %w", err)
	}
	keys, old, current := r.part(r.keys), r.part(r.oldImage), r.part(r.newImage)
	if keys == "" {
		return c, errors.New("the record has no Keys")
	}
	if err := decodeImage(d, "Keys", keys, P(&kept.keys)); err != nil {
		return c, err
	}
	c.Keys = kept.keys
	if old != "" {
		if err := decodeImage(d, "OldImage", old, P(&kept.old)); err != nil {
			return c, err
		}
		c.Old = &kept.old
	}
	if current != "" {
		if err := decodeImage(d, "NewImage", current, P(&kept.new)); err != nil {
			return c, err
		}
		c.New = &kept.new
	}
	return c, nil
}

func decodeImage(d *Decoder, name, image string, it interface{ UnmarshalImage(*Decoder) }) error {
	d.start(image)
	if d.err == nil {
		it.UnmarshalImage(d)
	}
	if d.err != nil {
		return fmt.Errorf("decode %s: %w", name, d.err)
	}
	return nil
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

package stream

import "time"

// Change is one change of one item, as its stream record tells it.
//
// The stream's view type decides which images there are: NEW_AND_OLD_IMAGES gives both, NEW_IMAGE and OLD_IMAGE
// the one, KEYS_ONLY neither. An insert never has an old image, a removal never a new one.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
type Change[T any] struct {
	// EventID names the record. It stays the same when Lambda delivers the record again.
	EventID string
	// Kind says what happened to the item.
	Kind Kind
	// Keys is an item with nothing set but its primary key.
	Keys T
	// Old and New are the item before and after the change; nil when the record has no such image.
	Old, New *T
	// SequenceNumber is a decimal number of up to 40 digits that grows within a shard. Sequence numbers
	// differ in length: compare them as numbers, not as text.
	SequenceNumber string
	// CreatedAt is about when the change was made, in UTC and whole seconds; zero when the record does not say.
	CreatedAt time.Time
	// ByTTL says that DynamoDB itself removed the item because its time to live was over. In a global table only
	// the region that removed the item says so; its replicas see an ordinary removal.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
	ByTTL bool
	// StreamARN is the stream that the record comes from.
	StreamARN string
	// DynamoDB is the record's "dynamodb" member exactly as it came, with every attribute of every type.
	DynamoDB JSON

	record *record
}

// Changed reports whether one of the attributes differs between the old and the new image, or is in only one of them: with the generated
// names of attributes, c.Changed(orders.Status). The images are compared as they came and decoded no second time, so
// attributes that the item type does not know can be asked for too, by their names. Without an old image, or a new one, every
// attribute of the other has changed.
func (c Change[T]) Changed(attributes ...Attr[T]) bool {
	if c.record == nil {
		return false
	}
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = string(a)
	}
	return Record{c.record}.Changed(names...)
}

// Attr is the name of an attribute of the item type T.
type Attr[T any] string

// JSON is a JSON text. It goes into other JSON, and so into a log of slog.JSONHandler, as it is.
type JSON string

// MarshalJSON implements json.Marshaler.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == "" {
		return []byte("null"), nil
	}
	return []byte(j), nil
}

// Kind is what happened to an item, in the words of a record's eventName.
type Kind string

// The kinds of change.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
const (
	Insert Kind = "INSERT" // the item is new
	Modify Kind = "MODIFY" // one or more of its attributes changed
	Remove Kind = "REMOVE" // the item is gone
)

// Image is implemented by the pointer of an item type T.
type Image[T any] interface {
	*T
	// UnmarshalImage sets the item's fields from the image that the decoder is at the start of; see [Decoder]. An image of keys holds no
	// other attribute. The receiver is a zero item.
	UnmarshalImage(d *Decoder)
}

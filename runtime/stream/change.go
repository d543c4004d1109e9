package stream

import (
	"encoding/json"
	"time"
)

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
	// DynamoDB is the record's "dynamodb" member exactly as it came, with every attribute of every type. It must
	// not be changed and holds only until the handler returns: copy it to keep it.
	DynamoDB json.RawMessage
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
	// UnmarshalImage sets the item's fields from an image in DynamoDB's JSON, such as {"Id":{"S":"1"}}. An image of keys
	// holds no other attribute. The receiver is a zero item. The image must be neither changed nor kept.
	UnmarshalImage(image []byte) error
}

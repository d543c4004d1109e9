package streams

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"streamgen/internal/local/attr"
)

// form is who a record is written for: the members are the same but for the service's identity and the stream's ARN.
type form uint8

const (
	forAPI form = iota
	forLambda
)

// render writes a record as JSON, members in the order in which Lambda delivers them.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
func (s *Stream) render(r *record, f form) []byte {
	b := make([]byte, 0, 640+s.size(r)+s.size(r)/4)
	b = append(b, `{"eventID":"`...)
	b = s.appendEventID(b, r)
	b = append(b, `","eventName":"`...)
	b = append(b, r.change.Kind...)
	b = append(b, `","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"`...)
	b = append(b, s.region...)
	b = append(b, `","dynamodb":`...)
	b = s.renderChange(b, r)
	if r.change.ByTTL {
		if f == forLambda {
			b = append(b, `,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}`...)
		} else {
			b = append(b, `,"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`...)
		}
	}
	if f == forLambda {
		b = append(b, `,"eventSourceARN":"`...)
		b = append(b, s.arn...)
		b = append(b, '"')
	}
	return append(b, '}')
}

func (s *Stream) renderChange(b []byte, r *record) []byte {
	b = append(b, `{"ApproximateCreationDateTime":`...)
	b = strconv.AppendInt(b, creationTime(r.change.At).Unix(), 10)
	b = append(b, ".0"...) // clients see a number with a fraction
	b = appendImage(b, "Keys", r.image().Pick(s.keys...))
	b = appendImage(b, "NewImage", r.change.New)
	b = appendImage(b, "OldImage", r.change.Old)
	b = append(b, `,"SequenceNumber":"`...)
	b = r.sequence.append(b)
	b = append(b, `","SizeBytes":`...)
	b = strconv.AppendInt(b, int64(s.size(r)), 10)
	b = append(b, `,"StreamViewType":"`...)
	b = append(b, s.table.View...)
	return append(b, `"}`...)
}

// appendImage writes an image that is there.
func appendImage(b []byte, name string, image attr.Item) []byte {
	if image == nil {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return image.AppendJSON(b)
}

// appendEventID appends what is the same whenever and to whomever the record is delivered, and no other record's.
func (s *Stream) appendEventID(b []byte, r *record) []byte {
	name := append(make([]byte, 0, 160), s.arn...)
	sum := sha256.Sum256(r.sequence.append(name))
	return hex.AppendEncode(b, sum[:16])
}

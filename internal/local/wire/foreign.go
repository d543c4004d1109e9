package wire

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/uuid"
)

// WriteCBORError answers with an error in the form of Smithy RPC v2 CBOR, the protocol of CloudWatch's clients. They
// take an answer without the Smithy-Protocol header for none of theirs, and would not show its message.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func WriteCBORError(w http.ResponseWriter, err error) {
	e := failed(w, err)
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	write(w, e.status(), cbor.Encode(cbor.Map{"__type": cbor.String(e.Code), "message": cbor.String(e.Message)}))
}

// WriteRESTXMLError answers with an error in REST-XML's form as Amazon S3 writes it, a bare <Error>. The error's fields are further
// elements of it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func WriteRESTXMLError(w http.ResponseWriter, err error) {
	e, id := failed(w, err), uuid.NewString()
	type element struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
	}
	out := struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Fields    []element
		RequestId string
	}{Code: e.Code, Message: e.Message, RequestId: id}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		out.Fields = append(out.Fields, element{xml.Name{Local: name}, fmt.Sprint(e.Fields[name])})
	}
	body, _ := xml.Marshal(out) // strings only: cannot fail
	WriteREST(w, id, e.status(), "application/xml", append([]byte(xml.Header), body...))
}

// WriteREST answers as Amazon S3 does, with the id of the request under its own name too.
func WriteREST(w http.ResponseWriter, id string, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("X-Amzn-Requestid", id)
	h.Set("X-Amz-Request-Id", id)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	write(w, status, body)
}

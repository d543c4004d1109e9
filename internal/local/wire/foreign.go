package wire

import (
	"encoding/xml"
	"net/http"

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

// WriteRESTXMLError answers with an error in REST-XML's form as Amazon S3 writes it, a bare <Error>.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func WriteRESTXMLError(w http.ResponseWriter, err error) {
	e, id := failed(w, err), uuid.NewString()
	body, _ := xml.Marshal(struct { // strings only: cannot fail
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestId string
	}{Code: e.Code, Message: e.Message, RequestId: id})
	writeXML(w, id, e.status(), body)
}

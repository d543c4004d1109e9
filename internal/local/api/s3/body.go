package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // clients send the MD5 of what they mean to send
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"streamgen/internal/local/objects"
	"streamgen/internal/local/wire"
)

// MaxObject is how large an object may be, in bytes. S3 takes 5 GB in one request; all that is here is in memory.
const MaxObject = 64 << 20

// maxXML is how large a body that is XML or a policy may be, in bytes: S3 deletes a thousand keys at once.
const maxXML = 2 << 20

// body reads a request's content and checks it against what the request says of it. The checksum is the one that was given, or the zero value.
func (in *request) body(most int) ([]byte, objects.Checksum, error) {
	var none objects.Checksum
	if in.ContentLength < 0 {
		return nil, none, errorf("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	content, trailer, err := in.content(most)
	if err != nil {
		return nil, none, err
	}
	if err := checkDigests(in.Header, content); err != nil {
		return nil, none, err
	}
	given, err := givenChecksum(in.Header, trailer)
	if err != nil {
		return nil, none, err
	}
	if given != none && objects.Sum(given.Algorithm, content) != given {
		return nil, none, errorf("BadDigest", "The %s you specified did not match the calculated checksum.", given.Algorithm)
	}
	return content, given, nil
}

// content gives a request's body, and the trailer of one that comes in chunks.
func (in *request) content(most int) ([]byte, http.Header, error) {
	tooLarge := errorf("EntityTooLarge", "streamgen local does not emulate more than %d bytes in %s", most, in.operation.name)
	if !strings.HasPrefix(in.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		if in.ContentLength > int64(most) {
			return nil, nil, tooLarge
		}
		content, err := io.ReadAll(in.Body)
		if err != nil {
			return nil, nil, errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
		}
		return content, nil, nil
	}
	length, err := strconv.Atoi(in.Header.Get("X-Amz-Decoded-Content-Length"))
	if err != nil || length < 0 {
		return nil, nil, errorf("MissingContentLength", "You must provide the X-Amz-Decoded-Content-Length HTTP header.")
	}
	if length > most {
		return nil, nil, tooLarge
	}
	content, trailer, err := decodeChunks(in.Body, length)
	if err != nil {
		return nil, nil, errorf("IncompleteBody", "The request body is malformed: %v", err)
	}
	return content, trailer, nil
}

func checkDigests(h http.Header, content []byte) error {
	if given := h.Get("Content-Md5"); given != "" {
		sum, err := base64.StdEncoding.DecodeString(given)
		if err != nil || len(sum) != md5.Size {
			return errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if have := md5.Sum(content); !bytes.Equal(sum, have[:]) { //nolint:gosec // see the import
			return errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	sum, err := hex.DecodeString(h.Get("X-Amz-Content-Sha256"))
	if err != nil || len(sum) != sha256.Size { // UNSIGNED-PAYLOAD, and the kinds of chunks
		return nil //nolint:nilerr // what is no digest is none to check
	}
	if have := sha256.Sum256(content); !bytes.Equal(sum, have[:]) {
		return errorf("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return nil
}

// sizes are how many bytes checksums have.
var sizes = map[string]int{objects.CRC32: 4, objects.CRC32C: 4, objects.CRC64NVME: 8, objects.SHA1: 20, objects.SHA256: 32}

const checksumPrefix = "X-Amz-Checksum-"

// givenChecksum gives the checksum that a request came with, in its head or in its trailer.
func givenChecksum(head, trailer http.Header) (objects.Checksum, error) {
	var given objects.Checksum
	for algorithm, size := range sizes {
		name := checksumPrefix + algorithm
		value := head.Get(name)
		if strings.EqualFold(head.Get("X-Amz-Trailer"), name) {
			if value = trailer.Get(name); value == "" {
				return given, errorf("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
			}
		}
		if value == "" {
			continue
		}
		if given.Algorithm != "" {
			return given, errorf("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		if sum, err := base64.StdEncoding.DecodeString(value); err != nil || len(sum) != size {
			return given, errorf("InvalidRequest", "Value for %s header is invalid.", strings.ToLower(name))
		}
		given = objects.Checksum{Algorithm: algorithm, Value: value}
	}
	if named := head.Get("X-Amz-Trailer"); named != "" && given.Algorithm == "" {
		return given, wire.NotEmulated("the trailer " + named)
	}
	switch algorithm := head.Get("X-Amz-Sdk-Checksum-Algorithm"); {
	case algorithm == "":
	case sizes[strings.ToUpper(algorithm)] == 0:
		return given, errorf("InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	case given.Algorithm == "":
		return given, errorf("InvalidRequest", "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	}
	return given, nil
}

// document decodes a body of XML. What into has not is refused by its name.
func (in *request) document(into any) error {
	body, _, err := in.body(maxXML)
	if err != nil {
		return err
	}
	return decodeXML(body, in.operation.name, into)
}

// other stands in documents for the elements that they do not have.
type other []struct{ XMLName xml.Name }

func (o other) refuse(operation string) error {
	if len(o) == 0 {
		return nil
	}
	return wire.NotEmulated("the element " + o[0].XMLName.Local + " of " + operation)
}

func decodeXML(body []byte, operation string, into any) error {
	dec := xml.NewDecoder(bytes.NewReader(body))
	malformed := errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	if err := dec.Decode(into); err != nil {
		return malformed
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		if rest := bytes.TrimSpace(body[dec.InputOffset():]); err != nil || len(rest) > 0 {
			return malformed
		}
	}
	if strict, ok := into.(interface{ refuse(string) error }); ok {
		return strict.refuse(operation)
	}
	return nil
}

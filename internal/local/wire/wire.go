// Package wire holds the protocol codecs of the local stack: AWS JSON, REST-JSON and Query, their error
// forms, and the caller that a signature names. It knows no service.
//
// The protocols are described at https://smithy.io/2.0/aws/protocols/index.html.
package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Error is an AWS API error. A front end returns it, a codec writes it in its protocol's form.
type Error struct {
	// Code is the error's name on the wire, such as "ResourceNotFoundException".
	Code string
	// Status is the HTTP status; 0 means 400.
	Status int
	// Message is what clients show.
	Message string
	// Fields are further members of a JSON error body, such as Lambda's "Reason".
	Fields map[string]any
}

// Errorf gives an Error of status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// StatusErrorf gives an Error of the given HTTP status.
func StatusErrorf(status int, code, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// NotEmulated refuses, by its name, something that AWS has and the local stack has not. The answer is a 4xx:
// AWS clients retry a 5xx, the terraform provider for as long as an hour.
func NotEmulated(what string) *Error {
	return Errorf("ValidationException", "streamgen local does not emulate %s", what)
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// APIError implements [Named].
func (e *Error) APIError() (code, message string) { return e.Code, e.Message }

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// encode gives members and the error's further fields as JSON; fields that do not encode are left out.
func (e *Error) encode(members map[string]any) []byte {
	all := maps.Clone(members)
	maps.Copy(all, e.Fields)
	body, err := Encode(all)
	if err != nil {
		body, _ = Encode(members) // strings only: cannot fail
	}
	return body
}

// Named is an error that says itself what it is called on the wire, as the cores of the stack refuse. It is written with status 400 where
// its front end does not make it an [Error].
type Named interface {
	error
	// APIError gives the error's name on the wire, and what clients show.
	APIError() (code, message string)
}

// asError turns any error into an API error; one that no front end foresaw is a 400 too, see [NotEmulated].
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var named Named
	if errors.As(err, &named) {
		code, message := named.APIError()
		return Errorf(code, "%s", message)
	}
	return Errorf("InternalFailure", "%v", err)
}

// ErrorNoter is a response writer that wants to know the code of the error it is used to write.
type ErrorNoter interface{ NoteError(code string) }

// failed gives the error to write to w.
func failed(w http.ResponseWriter, err error) *Error {
	e := asError(err)
	if n, ok := w.(ErrorNoter); ok {
		n.NoteError(e.Code)
	}
	return e
}

// Caller is who sent a request, as the signature's credential scope says it. The stack checks no signature.
type Caller struct{ Account, Region, Service, AccessKeyID string }

type callerKey struct{}

// WithCaller gives a context that carries the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom is the caller that [WithCaller] put into the context, or the zero value.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

type hostKey struct{}

// HostFrom is the host and port by which the client of an AWS JSON request reached the stack.
func HostFrom(ctx context.Context) string {
	host, _ := ctx.Value(hostKey{}).(string)
	return host
}

// ParseCaller reads access key, region and service from a request's Authorization header
// ("AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …"). ok is false when it has none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func ParseCaller(r *http.Request) (c Caller, ok bool) {
	rest, found := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !found {
		return Caller{}, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		scope, found := strings.CutPrefix(strings.TrimSpace(part), "Credential=")
		if !found {
			continue
		}
		f := strings.Split(scope, "/")
		if len(f) != 5 || f[4] != "aws4_request" {
			return Caller{}, false
		}
		return Caller{AccessKeyID: f[0], Region: f[2], Service: f[3]}, true
	}
	return Caller{}, false
}

// CheckAuthorization refuses a signature whose credential names no region and service: the request would go to another region than its
// sender meant. A request without a signature, or with an authorization that is none, is not refused: the stack checks none.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
func CheckAuthorization(r *http.Request) error {
	rest, found := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256")
	if !found {
		return nil
	}
	for part := range strings.FieldsFuncSeq(rest, func(c rune) bool { return c == ' ' || c == ',' }) {
		scope, found := strings.CutPrefix(part, "Credential=")
		switch f := strings.Split(scope, "/"); {
		case !found:
		case len(f) != 5:
			return Errorf("IncompleteSignatureException",
				"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", scope)
		case f[4] != "aws4_request":
			return Errorf("InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request', not '%s'.", f[4])
		default:
			return nil
		}
	}
	return Errorf("IncompleteSignatureException", "Authorization header requires 'Credential' parameter. Authorization=%s", r.Header.Get("Authorization"))
}

// MaxBody is the largest request body that the codecs read, in bytes: a 50 MB package in base64 and its request.
const MaxBody = 72 << 20

// sizedBody is the largest length, in bytes, that a request is believed before its body is there.
const sizedBody = 1 << 20

// ReadBody reads a request's body up to [MaxBody].
func ReadBody(r *http.Request) ([]byte, error) { return readBody(r, MaxBody) }

func readBody(r *http.Request, most int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), sizedBody)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(r.Body, int64(most)+1)); err != nil {
		return nil, Errorf("SerializationException", "reading the request body: %v", err)
	}
	body := b.Bytes()
	if len(body) > most {
		return nil, StatusErrorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the request body is over %d bytes", most)
	}
	return body, nil
}

// DecodeStrict decodes a JSON body and refuses, by its name, a member that the target does not have: an option that
// is not emulated must never be accepted and ignored. what names the operation in the error.
func DecodeStrict(body []byte, what string, into any) error { return decode(body, what, into, true) }

// DecodePart is [DecodeStrict] for who reads some members alone: it passes over the others.
func DecodePart(body []byte, what string, into any) error { return decode(body, what, into, false) }

func decode(body []byte, what string, into any, strict bool) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if strict {
		dec.DisallowUnknownFields()
	}
	err := dec.Decode(into)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return nil
		}
		return Errorf("SerializationException", "%s: the body holds more than one JSON value", what)
	}
	var api *Error
	if errors.As(err, &api) {
		return api
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return NotEmulated(fmt.Sprintf("%s of %s", name, what))
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return Errorf("SerializationException", "%s", wrongType(wrong, body))
	}
	return Errorf("SerializationException", "%s: %v", what, err)
}

// Operation is one action of an AWS JSON service: it takes the request's body and gives the value to encode.
type Operation func(ctx context.Context, body []byte) (any, error)

// Typed makes an Operation of a function on Go types; the input is decoded by [DecodeStrict]. A nil output is the
// empty object.
func Typed[In, Out any](name string, f func(context.Context, *In) (*Out, error)) Operation {
	return func(ctx context.Context, body []byte) (any, error) {
		in := new(In)
		if err := DecodeStrict(body, name, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}
}

// Func is [Typed] for a function that waits for nothing.
func Func[In, Out any](name string, f func(*In) (*Out, error)) Operation {
	return Typed(name, func(_ context.Context, in *In) (*Out, error) { return f(in) })
}

// JSON serves one service over AWS JSON 1.0 or 1.1.
type JSON struct {
	// Version is "1.0" or "1.1".
	Version string
	// Target is what stands before the dot in X-Amz-Target, such as "DynamoDB_20120810".
	Target string
	// Operations by name. Any other name is answered with UnknownOperationException.
	Operations map[string]Operation
	// Checksum adds DynamoDB's X-Amz-Crc32 header.
	Checksum bool
	// MaxBody is the largest request body that the service reads, in bytes; 0 means the package's [MaxBody].
	MaxBody int
	// QueryErrors are the names that errors had in the service's Query protocol, for the header from which clients take them.
	QueryErrors map[string]string
}

// ServeHTTP implements [http.Handler].
func (j *JSON) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := j.call(r)
	if err != nil {
		j.WriteError(w, err)
		return
	}
	body, err := Encode(out)
	if err != nil {
		j.WriteError(w, err)
		return
	}
	j.write(w, http.StatusOK, body)
}

// WriteError answers with an error in AWS JSON's form: the body's "__type" names the error.
func (j *JSON) WriteError(w http.ResponseWriter, err error) {
	e := failed(w, err)
	if name := j.QueryErrors[e.Code]; name != "" {
		w.Header().Set("X-Amzn-Query-Error", name+";Sender")
	}
	j.write(w, e.status(), e.encode(map[string]any{"__type": e.Code, "message": e.Message}))
}

func (j *JSON) write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-"+j.Version)
	if j.Checksum {
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	write(w, status, body)
}

func (j *JSON) call(r *http.Request) (any, error) {
	name, found := strings.CutPrefix(r.Header.Get("X-Amz-Target"), j.Target+".")
	if !found {
		return nil, Errorf("UnknownOperationException", "streamgen local: X-Amz-Target %q is none of %s", r.Header.Get("X-Amz-Target"), j.Target)
	}
	op, found := j.Operations[name]
	if !found {
		return nil, Errorf("UnknownOperationException", "streamgen local does not emulate %s.%s", j.Target, name)
	}
	if err := checkForm(r); err != nil {
		return nil, err
	}
	body, err := readBody(r, cmp.Or(j.MaxBody, MaxBody))
	if err != nil {
		return nil, err
	}
	return op(context.WithValue(r.Context(), hostKey{}, r.Host), body)
}

// checkForm refuses a method and a type of content that the protocol does not have, with the status and name that AWS gives. A
// request that names no type is taken for JSON: nobody but this protocol's clients sends the target header.
func checkForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return StatusErrorf(http.StatusNotFound, "UnknownOperationException", "AWS JSON has no %s requests, want POST", r.Method)
	}
	content := r.Header.Get("Content-Type")
	if content == "" {
		return nil
	}
	switch media, _, err := mime.ParseMediaType(content); {
	case err == nil && (media == "application/json" || strings.HasPrefix(media, "application/x-amz-json-1.")):
		return nil
	default:
		return StatusErrorf(http.StatusNotFound, "UnknownOperationException", "AWS JSON has no Content-Type %q, want application/x-amz-json-1.0", content)
	}
}

// Appender is an output that writes itself: [encoding/json] reads again all that a value's own method or a RawMessage gives it, which
// takes longer than to write it.
type Appender interface {
	// AppendJSON appends the value in JSON to b.
	AppendJSON(b []byte) []byte
}

// Encode gives v as JSON without HTML escapes; nil is the empty object.
func Encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return []byte("{}"), nil
	case Appender:
		return v.AppendJSON(nil), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// write sends an answer with the request id that AWS puts on every one.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	if h.Get("X-Amzn-Requestid") == "" {
		h.Set("X-Amzn-Requestid", uuid.NewString())
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; there is nobody left to tell
}

// Response is the answer of a REST-JSON operation.
type Response struct {
	// Status is the HTTP status of success; 0 means 200.
	Status int
	// Header is added to the answer; may be nil.
	Header http.Header
	// Body is encoded as JSON, but a []byte is sent as it is and nil sends no body.
	Body any
}

// REST serves one REST-JSON operation, such as one path of Lambda. The request's body is read with [ReadBody] and
// decoded with [DecodeStrict] by the operation itself, since path and query belong to its input.
func REST(f func(*http.Request) (Response, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := f(r)
		if err != nil {
			WriteRESTError(w, err)
			return
		}
		for k, vs := range res.Header {
			w.Header()[k] = vs
		}
		body, raw := res.Body.([]byte)
		if !raw && res.Body != nil {
			if body, err = Encode(res.Body); err != nil {
				WriteRESTError(w, err)
				return
			}
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		status := res.Status
		if status == 0 {
			status = http.StatusOK
		}
		write(w, status, body)
	})
}

// WriteRESTError answers with an error in REST-JSON's form: the X-Amzn-ErrorType header names the error.
func WriteRESTError(w http.ResponseWriter, err error) {
	e := failed(w, err)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", e.Code)
	write(w, e.status(), e.encode(map[string]any{"Type": "User", "Message": e.Message}))
}

// EpochSeconds is a time as AWS JSON and REST-JSON write it: a number of seconds with a fraction.
type EpochSeconds time.Time

// MarshalJSON writes milliseconds as three digits after the point.
func (t EpochSeconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', 3, 64), nil
}

// Moment is a time that may be missing: nil for the zero time.
func Moment(t time.Time) *EpochSeconds {
	if t.IsZero() {
		return nil
	}
	at := EpochSeconds(t)
	return &at
}

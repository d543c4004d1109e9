package wire

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// QueryOperation is one action of a Query service such as IAM or STS.
type QueryOperation struct {
	// Parameters are the names that the action takes; "Tags" also covers "Tags.member.1.Key". A request with any
	// other parameter is refused by that name.
	Parameters []string
	// Do gives the value that is encoded as the children of <ActionResult>; nil gives an answer without one.
	Do func(ctx context.Context, form url.Values) (any, error)
}

// Query serves one service over the AWS Query protocol: form in, XML out.
type Query struct {
	// Namespace is the answers' XML namespace, such as "https://iam.amazonaws.com/doc/2010-05-08/".
	Namespace string
	// Version is the API's version that requests must name, such as "2010-05-08".
	Version string
	// Operations by the value of Action.
	Operations map[string]QueryOperation
}

// ServeHTTP implements [http.Handler].
func (q *Query) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	action, out, err := q.call(r)
	var body bytes.Buffer
	if err == nil {
		err = encodeQuery(&body, q.Namespace, action, id, out)
	}
	if err != nil {
		q.WriteError(w, err)
		return
	}
	writeXML(w, id, http.StatusOK, body.Bytes())
}

// WriteError answers with an error in Query's form, an <ErrorResponse>.
func (q *Query) WriteError(w http.ResponseWriter, err error) {
	e, id := failed(w, err), uuid.NewString()
	type detail struct{ Type, Code, Message string }
	body, _ := xml.Marshal(struct { // strings only: cannot fail
		XMLName   xml.Name
		Error     detail
		RequestId string
	}{xml.Name{Space: q.Namespace, Local: "ErrorResponse"}, detail{"Sender", e.Code, e.Message}, id})
	writeXML(w, id, e.status(), body)
}

func writeXML(w http.ResponseWriter, id string, status int, body []byte) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	write(w, status, body)
}

func encodeQuery(w *bytes.Buffer, namespace, action, id string, out any) error {
	enc := xml.NewEncoder(w)
	root := xml.StartElement{Name: xml.Name{Space: namespace, Local: action + "Response"}}
	if err := enc.EncodeToken(root); err != nil {
		return err
	}
	if out != nil {
		if err := enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
			return err
		}
	}
	meta := struct{ RequestId string }{id}
	if err := enc.EncodeElement(meta, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return err
	}
	if err := enc.EncodeToken(root.End()); err != nil {
		return err
	}
	return enc.Flush()
}

func (q *Query) call(r *http.Request) (action string, out any, err error) {
	body, err := ReadBody(r)
	if err != nil {
		return "", nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", nil, Errorf("MalformedQueryString", "%v", err)
	}
	action = form.Get("Action")
	op, found := q.Operations[action]
	if !found {
		return "", nil, Errorf("InvalidAction", "streamgen local does not emulate %s of %s", action, q.Namespace)
	}
	if v := form.Get("Version"); v != q.Version {
		return "", nil, Errorf("InvalidAction", "Could not find operation %s for version %s", action, v)
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name != "Action" && name != "Version" && !op.takes(name) {
			return "", nil, NotEmulated(name + " of " + action)
		}
		if len(form[name]) > 1 {
			return "", nil, Errorf("MalformedQueryString", "%s of %s is given %d times", name, action, len(form[name]))
		}
	}
	out, err = op.Do(r.Context(), form)
	return action, out, err
}

func (op QueryOperation) takes(name string) bool {
	for _, p := range op.Parameters {
		if name == p || strings.HasPrefix(name, p+".") {
			return true
		}
	}
	return false
}

// QueryList reads a list parameter of a Query request: "Tags.member.1.Key" and so on, or "TagKeys.member.1" when the
// list's members are plain strings and no field is named. Members are numbered from 1 without a gap; a name under the
// list's that is no such member is refused.
func QueryList(form url.Values, list string, fields ...string) ([]url.Values, error) {
	var members []url.Values
	read := 0
	for {
		prefix := fmt.Sprintf("%s.member.%d", list, len(members)+1)
		member := url.Values{}
		for _, field := range fields {
			if name := prefix + "." + field; form.Has(name) {
				member.Set(field, form.Get(name))
			}
		}
		if len(fields) == 0 && form.Has(prefix) {
			member.Set("", form.Get(prefix))
		}
		if len(member) == 0 {
			break
		}
		read += len(member)
		members = append(members, member)
	}
	given := 0
	for name := range form {
		if strings.HasPrefix(name, list+".") || name == list && form.Get(name) != "" { // "Tags=" is the empty list
			given++
		}
	}
	if given != read {
		return nil, Errorf("MalformedQueryString", "%s is no list of members that are numbered from 1", list)
	}
	return members, nil
}

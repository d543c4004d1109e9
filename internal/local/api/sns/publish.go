package sns

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

type published struct{ MessageId string }

func (s service) publish(form url.Values) (any, error) {
	arn := form.Get("TopicArn")
	if target := form.Get("TargetArn"); target != "" {
		if arn != "" {
			return nil, invalid("TopicArn or TargetArn Reason: only one of them may be given")
		}
		arn = target
	}
	if !strings.HasPrefix(arn, "arn:aws:sns:") {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	if strings.Contains(arn, ":endpoint/") {
		return nil, wire.NotEmulated("endpoints of mobile applications")
	}
	p, err := publicationOf(form)
	if err != nil {
		return nil, err
	}
	id, err := s.topics.Publish(arn, p)
	return published{id}, err
}

// publicationOf reads and checks what is to be published.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func publicationOf(form url.Values) (control.Publication, error) {
	p := control.Publication{Message: form.Get("Message"), Subject: form.Get("Subject")}
	if p.Message == "" {
		return p, invalid("Empty message")
	}
	if form.Has("Subject") && (p.Subject == "" || len(p.Subject) > 100 || !isSubject(p.Subject)) {
		return p, invalid("Subject")
	}
	switch structure := form.Get("MessageStructure"); structure {
	case "":
	case "json":
		var byProtocol map[string]any
		if err := json.Unmarshal([]byte(p.Message), &byProtocol); err != nil {
			return p, invalid("Message Structure - JSON message body failed to parse")
		}
		p.Messages = map[string]string{}
		for protocol, value := range byProtocol {
			if text, isText := value.(string); isText { // others are no message, AWS passes over them
				p.Messages[protocol] = text
			}
		}
		text, there := p.Messages["default"]
		if !there {
			return p, invalid("Message Structure - No default entry in JSON message body")
		}
		p.Message = text
	default:
		return p, invalid("MessageStructure")
	}
	var err error
	p.Attributes, err = messageAttributesOf(form)
	return p, err
}

// isSubject says that a text may stand in an e-mail's subject: it begins with a letter, number or punctuation mark, and has neither line
// breaks nor control characters.
func isSubject(text string) bool {
	return text[0] != ' ' && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f })
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type (
	batchSuccess struct{ Id, MessageId string }
	batchFailure struct {
		Id, Code, Message string
		SenderFault       bool
	}
)

func (s service) publishBatch(form url.Values) (any, error) {
	arn := form.Get("TopicArn")
	entries, err := members(form, "PublishBatchRequestEntries.member", "Id", "Message", "Subject", "MessageStructure", "MessageAttributes")
	if err != nil {
		return nil, err
	}
	if _, _, err := s.topics.Get(arn); err != nil {
		return nil, err
	}
	switch {
	case len(entries) == 0:
		return nil, wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > 10:
		return nil, wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		id := e.Get("Id")
		switch {
		case !entryID.MatchString(id):
			return nil, wire.Errorf("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		case seen[id]:
			return nil, wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[id] = true
		size += len(e.Get("Message"))
	}
	if size > control.MostPublished {
		return nil, wire.Errorf("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	out := struct {
		Successful []batchSuccess `xml:"Successful>member"`
		Failed     []batchFailure `xml:"Failed>member"`
	}{}
	for _, e := range entries {
		p, err := publicationOf(e)
		var id string
		if err == nil {
			id, err = s.topics.Publish(arn, p)
		}
		if err == nil {
			out.Successful = append(out.Successful, batchSuccess{e.Get("Id"), id})
			continue
		}
		failure := batchFailure{Id: e.Get("Id"), Code: "InternalError", Message: err.Error()}
		var named wire.Named
		if errors.As(err, &named) {
			failure.Code, failure.Message = named.APIError()
			failure.SenderFault = true
		}
		out.Failed = append(out.Failed, failure)
	}
	return out, nil
}

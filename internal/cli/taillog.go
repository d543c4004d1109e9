package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"streamgen/internal/local"
	"streamgen/internal/records"
)

var (
	textPlatformLine = regexp.MustCompile(`^(START|END|REPORT) RequestId: ([0-9a-fA-F-]+)`)
	jsonPlatformLine = regexp.MustCompile(`^\{"time":"[^"]*","type":"platform\.(start|runtimeDone|report)","record":\{.*"requestId":"([0-9a-fA-F-]+)"`)
)

// platformLine gives what a log line says that Lambda itself writes of an invocation, and of which one; nothing for any other line.
func platformLine(e *local.Event) (kind, request string) {
	if e.Kind != local.EventLog {
		return "", ""
	}
	for _, form := range []*regexp.Regexp{textPlatformLine, jsonPlatformLine} {
		if found := form.FindStringSubmatch(e.Message); found != nil {
			return strings.ToLower(found[1]), found[2]
		}
	}
	return "", ""
}

// heldLogs keep the last log lines of invocations until it is known how they ended.
type heldLogs struct {
	// running is by log stream the invocation that writes to it.
	running map[string]string
	lines   map[string][]heldEvent
	order   []string // of the invocations
}

type heldEvent struct {
	event local.Event
	line  []byte
}

const (
	mostHeldLines       = 200
	mostHeldInvocations = 256
)

// add keeps a line for its invocation. What a function writes between two of them is not kept.
func (h *heldLogs) add(e *local.Event, line []byte) {
	if h.lines == nil {
		h.running, h.lines = map[string]string{}, map[string][]heldEvent{}
	}
	stream := e.Region + " " + e.Group + " " + e.LogStream
	kind, request := platformLine(e)
	switch kind {
	case "":
		request = h.running[stream]
	case "report":
		delete(h.running, stream)
	case "start":
		h.running[stream], h.lines[request] = request, []heldEvent{}
		if !slices.Contains(h.order, request) {
			h.order = append(h.order, request)
		}
		if len(h.order) > mostHeldInvocations {
			delete(h.lines, h.order[0])
			h.order = h.order[1:]
		}
	}
	kept, known := h.lines[request]
	if !known {
		return
	}
	if len(kept) >= mostHeldLines {
		kept = kept[1:]
	}
	h.lines[request] = append(kept, heldEvent{*e, line})
}

// take gives an invocation's lines, and forgets them.
func (h *heldLogs) take(request string) []heldEvent {
	kept := h.lines[request]
	delete(h.lines, request)
	return kept
}

// isMetrics reports whether a log line is one of metrics in their embedded format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func isMetrics(message string) bool {
	return strings.HasPrefix(message, `{"_aws":`) && strings.Contains(message, `"CloudWatchMetrics"`)
}

// How much of a log line is shown.
const (
	mostOfMember = 160 // characters
	mostLogLines = 12
)

// logLines tells a log line to people: one of slog's JSON as its level, its message and what else it says, any other one as it is.
func (p *tailPrinter) logLines(message string) []string {
	lines := strings.Split(message, "\n")
	color := ""
	if !p.o.logs {
		if level, told := slogLines(message); told != nil {
			color, lines = map[string]string{"ERROR": red, "WARN": yellow}[level], told
		}
	}
	if left := len(lines) - mostLogLines; left > 1 {
		lines = append(lines[:mostLogLines:mostLogLines], "… and "+count(left, "more line"))
	}
	for i, line := range lines {
		lines[i] = records.Cut(strings.ReplaceAll(line, "\t", "    "), mostOfMessage)
	}
	lines[0] = p.paint(color, lines[0])
	return lines
}

// commonMembers are what the handler's runtime adds to each line and other lines here say as well.
var commonMembers = []string{"time", "requestId", "function", "xrayTraceId", "table", "eventID"}

// slogLines takes a line of slog's JSON apart; it gives none for any other line. Texts of several lines, such as stacks, stand below.
func slogLines(message string) (level string, lines []string) {
	d := json.NewDecoder(strings.NewReader(message))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !json.Valid([]byte(message)) {
		return "", nil
	}
	var text string
	hasText := false
	var members, below []string
	for d.More() {
		key, _ := d.Token() // it is valid
		name, _ := key.(string)
		var value json.RawMessage
		_ = d.Decode(&value)
		var said string
		isText := value[0] == '"' && json.Unmarshal(value, &said) == nil
		switch {
		case name == "level" && isText:
			level = said
		case name == "msg" && isText:
			text, hasText = said, true
		case slices.Contains(commonMembers, name):
		case isText && strings.Contains(said, "\n"):
			below = append(below, "  "+records.Cut(name, mostOfName)+":")
			for _, line := range strings.Split(strings.TrimRight(said, "\n"), "\n") {
				below = append(below, "    "+line)
			}
		case isText:
			members = append(members, member(name, quoted(said)))
		default:
			var compact bytes.Buffer
			_ = json.Compact(&compact, value) // it was JSON before
			members = append(members, member(name, compact.String()))
		}
	}
	if level == "" || !hasText {
		return "", nil
	}
	return level, append([]string{strings.Join(append([]string{level, text}, members...), " ")}, below...)
}

func member(name, value string) string {
	return records.Cut(name, mostOfName) + "=" + records.Cut(value, mostOfMember)
}

// quoted is a text as it is, or in quotes where it could be taken for more than one.
func quoted(text string) string {
	odd := func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '=' || !unicode.IsPrint(r) }
	if text != "" && strings.IndexFunc(text, odd) < 0 {
		return text
	}
	return strconv.Quote(text)
}

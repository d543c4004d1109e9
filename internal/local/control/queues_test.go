package control

import "testing"

// The sums are SQS's own, as other emulators have recorded them.
func TestMD5OfMessageAttributes(t *testing.T) {
	text := func(value string) MessageAttribute { return MessageAttribute{"String", []byte(value)} }
	for want, attributes := range map[string]MessageAttributes{
		"":                                 {},
		"235c5c510d26fb653d073faed50ae77c": {"timestamp": {"Number", []byte("1493147359900")}},
		"4c360f3fdafd970e05fae2f149d997f5": {"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")},
	} {
		if got := attributes.MD5(); got != want {
			t.Errorf("%v: %s, want %s", attributes, got, want)
		}
	}
}

package s3

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDecodeChunks(t *testing.T) {
	content, trailer, err := decodeChunks(iotest.OneByteReader(strings.NewReader("3;chunk-signature=x\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n")), 5)
	if string(content) != "abcde" || trailer.Get("X-Amz-Checksum-Crc32") != "AAAAAA==" || err != nil {
		t.Errorf("got %q, %v, %v", content, trailer, err)
	}
	for body, length := range map[string]int{
		"": 0, "3\r\nabc\r\n0\r\n": 4, "4\r\nabcd\r\n0\r\n": 3, "3\r\nabcX\r\n0\r\n": 3, "x\r\n": 1, "-1\r\n": 1, "ffffffff\r\n": 1, "3\r\nab": 3,
		"0;" + strings.Repeat("x", 2000) + "\r\n": 0, "0\r\nno trailer\r\n": 0,
	} {
		if content, _, err := decodeChunks(strings.NewReader(body), length); err == nil {
			t.Errorf("%.20q of %d is taken for %q", body, length, content)
		}
	}
}

// FuzzDecodeChunks has no body give other content than what it was said to have, and each content come through.
func FuzzDecodeChunks(f *testing.F) {
	f.Add([]byte("abc"), 2, []byte("1\r\na\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, content []byte, size int, body []byte) {
		if got, _, err := decodeChunks(bytes.NewReader(body), len(content)); err == nil && len(got) != len(content) {
			t.Errorf("%q gives %d bytes, want %d", body, len(got), len(content))
		}
		if size < 1 || size > 1<<16 {
			return
		}
		var chunked bytes.Buffer
		for at := 0; at < len(content); at += size {
			part := content[at:min(at+size, len(content))]
			fmt.Fprintf(&chunked, "%x\r\n%s\r\n", len(part), part)
		}
		chunked.WriteString("0\r\n\r\n")
		if got, _, err := decodeChunks(&chunked, len(content)); !bytes.Equal(got, content) || err != nil {
			t.Errorf("%q in chunks of %d gives %q, %v", content, size, got, err)
		}
	})
}

package s3

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// mostLine is how long a line between chunks may be, in bytes; those of signatures are the longest.
const mostLine = 1024

// decodeChunks reads a body of AWS's own chunks, which have signatures, and the trailer after them. length is that of the content.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
func decodeChunks(body io.Reader, length int) ([]byte, http.Header, error) {
	r := bufio.NewReaderSize(body, 64<<10)
	content := make([]byte, 0, min(length, 1<<20))
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, nil, err
		}
		number, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseUint(number, 16, 31)
		if err != nil {
			return nil, nil, fmt.Errorf("%q is no size of a chunk", number)
		}
		if size == 0 {
			break
		}
		if int(size) > length-len(content) {
			return nil, nil, fmt.Errorf("it is longer than the %d bytes that it was said to have", length)
		}
		from := len(content)
		content = append(content, make([]byte, size)...)
		if _, err := io.ReadFull(r, content[from:]); err != nil {
			return nil, nil, err
		}
		if end, err := readLine(r); err != nil || end != "" {
			return nil, nil, errors.New("a chunk does not end where it should")
		}
	}
	if len(content) != length {
		return nil, nil, fmt.Errorf("it has %d bytes and was said to have %d", len(content), length)
	}
	trailer, err := readTrailer(r)
	return content, trailer, err
}

// readTrailer reads headers up to an empty line or the end.
func readTrailer(r *bufio.Reader) (http.Header, error) {
	trailer := http.Header{}
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) || line == "" && err == nil {
			return trailer, nil
		}
		if err != nil {
			return nil, err
		}
		name, value, found := strings.Cut(line, ":")
		if !found || len(trailer) == 16 {
			return nil, errors.New("the trailer is none")
		}
		trailer.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
}

// readLine gives a line without its end. [io.EOF] is the end of the body before a line began.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case len(line) > mostLine || errors.Is(err, bufio.ErrBufferFull):
		return "", errors.New("a line between chunks is too long")
	case errors.Is(err, io.EOF) && len(line) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

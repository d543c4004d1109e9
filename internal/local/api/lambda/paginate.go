package lambda

import (
	"net/http"
	"strconv"
)

// paginate gives the page of items that a request's Marker and MaxItems ask for, of at most limit, and the next page's marker.
func paginate[T any](r *http.Request, items []T, limit int) (page []T, next string, err error) {
	query := r.URL.Query()
	start, size := 0, limit
	if s := query.Get("Marker"); s != "" {
		if start, err = strconv.Atoi(s); err != nil || start < 0 {
			return nil, "", invalid("Marker %q is none that was given", s)
		}
	}
	if s := query.Get("MaxItems"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, "", invalid("MaxItems %q is not a number", s)
		}
		var c constraints
		c.within(&n, "maxItems", 1, 10000)
		if err := c.err(); err != nil {
			return nil, "", err
		}
		size = min(n, limit)
	}
	if start >= len(items) {
		return nil, "", nil
	}
	if end := start + size; end < len(items) {
		return items[start:end], strconv.Itoa(end), nil
	}
	return items[start:], "", nil
}

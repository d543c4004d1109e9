// Package index handles the changes of table "products".
package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"streamgen/examples/search-index/generated/tables/products"
	"streamgen/runtime/stream"
)

var client = &http.Client{Timeout: 10 * time.Second}

// document is a product as the index has it.
type document struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Price       float64 `json:"price,omitempty"`
}

// Handle writes a product to the index, or removes it. The changes of a product come in their sequence, and the same one may come
// twice: both give the document that belongs to the last.
func Handle(ctx context.Context, c stream.Change[products.Item]) error {
	address := os.Getenv("SEARCH_URL") + "/products/_doc/" + url.PathEscape(c.Keys.ID)
	if c.Kind == stream.Remove {
		return send(ctx, http.MethodDelete, address, nil)
	}
	d := document{Name: c.New.Name, Description: c.New.Description}
	if c.New.Price != "" {
		var err error
		if d.Price, err = c.New.Price.Float64(); err != nil {
			return err
		}
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return send(ctx, http.MethodPut, address, body)
}

func send(ctx context.Context, method, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection is used again
	gone := method == http.MethodDelete && response.StatusCode == http.StatusNotFound
	if response.StatusCode >= http.StatusMultipleChoices && !gone {
		return fmt.Errorf("the index answered %s", response.Status)
	}
	return nil
}

package local

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/host"
)

// What a Go test that has the stack in its own process can do beside AWS's APIs.

// Invocation is what a [Function] is called with.
type Invocation = host.Invocation

// Function is a function that runs within this process, see [Stack.Register].
type Function = host.Func

// Register adds a function that runs within this process, and gives its ARN. Lambda's API shows, invokes and deletes it as every other;
// an event source mapping may be made for it. Its timeout is in the machine's time.
func (s *Stack) Register(region, name string, timeout time.Duration, f Function) (arn string, err error) {
	r, err := s.region(region)
	if err != nil {
		return "", err
	}
	function, err := r.functions.Register(host.Config{
		Name: name, Runtime: "provided.al2023", Handler: "bootstrap", Architecture: "x86_64", Timeout: timeout, MemorySize: 128,
		Role: inProcessRole + name,
	}, f)
	return function.ARN, err
}

// AwaitRecords returns once at least n records can be read from the enabled stream of a table. The error is ctx's, with how many there are.
func (s *Stack) AwaitRecords(ctx context.Context, region, table string, n int) error {
	stream, err := s.openStream(region, table)
	if err != nil {
		return err
	}
	for seen := uint64(0); ; {
		version, err := stream.Wait(ctx, seen)
		there := stream.Len()
		if there >= n {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the stream of table %s has %d records, want %d: %w", table, there, n, err)
		}
		seen = version
	}
}

// AwaitCaughtUp returns once no mapping of a table's stream has anything left of what is in the stream: each record was delivered,
// filtered out or given up. The error is ctx's, with where the mapping is.
func (s *Stack) AwaitCaughtUp(ctx context.Context, region, table string) error {
	stream, err := s.openStream(region, table)
	if err != nil {
		return err
	}
	r, err := s.usedRegion(region)
	if err != nil {
		return err
	}
	mappings := 0
	for _, m := range r.mappings.List() {
		if m.StreamARN != stream.ARN() {
			continue
		}
		mappings++
		if err := r.mappings.AwaitCaughtUp(ctx, m.UUID); err != nil {
			return fmt.Errorf("table %s, function %s: %w", table, m.FunctionARN, err)
		}
	}
	if mappings == 0 {
		return fmt.Errorf("no mapping reads the stream of table %s", table)
	}
	return nil
}

// Items gives all items of a table, each in DynamoDB's JSON.
func (s *Stack) Items(region, table string) ([]json.RawMessage, error) {
	r, err := s.usedRegion(region)
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	for scan := (engine.Scan{Read: engine.Read{Table: table}}); ; {
		page, err := r.engine.Scan(scan)
		if err != nil {
			return nil, fmt.Errorf("reading the table %s: %w", table, err)
		}
		for _, item := range page.Items {
			items = append(items, item.AppendJSON(nil))
		}
		if scan.Start = page.Last; scan.Start == nil {
			return items, nil
		}
	}
}

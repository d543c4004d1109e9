package semantics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamgen/internal/local"
)

// call is an invocation of a function in the test's hands: it waits for its answer.
type call struct {
	id      string // of the request
	event   []byte
	records []recordJSON
	answer  chan answer
}

type answer struct {
	payload string
	failed  bool
}

// reply is what the function answers to a call.
type reply func(*call) answer

// ok answers that all is done, fails is an error, says is any answer.
func ok(*call) answer    { return answer{payload: "{}"} }
func fails(*call) answer { return answer{failed: true} }
func says(payload string) reply {
	return func(*call) answer { return answer{payload: payload} }
}

// leaves reports records of the batch as failed, in this order.
func leaves(names ...string) reply {
	return func(c *call) answer {
		var failures []string
		for _, name := range names {
			i := slices.IndexFunc(c.records, func(r recordJSON) bool { return r.name() == name })
			failures = append(failures, fmt.Sprintf(`{"itemIdentifier":%q}`, c.records[i].DynamoDB.SequenceNumber))
		}
		return answer{payload: `{"batchItemFailures":[` + strings.Join(failures, ",") + `]}`}
	}
}

func (c *call) reply(r reply) { c.answer <- r(c) }

// names are the words that made the records.
func (c *call) names() string {
	var all []string
	for _, r := range c.records {
		all = append(all, r.name())
	}
	return strings.Join(all, " ")
}

// register adds a function of this process whose calls the test answers.
func (s *stand) register(name string) {
	s.Helper()
	_, err := s.stack.Register(region, name, 15*time.Minute, func(ctx context.Context, i local.Invocation) ([]byte, error) {
		var e struct{ Records []recordJSON }
		if err := json.Unmarshal(i.Payload, &e); err != nil {
			return nil, err
		}
		c := &call{id: i.RequestID, event: bytes.Clone(i.Payload), records: e.Records, answer: make(chan answer, 1)}
		select {
		case s.calls <- c:
		case <-s.ended:
			return nil, errors.New("the test has ended")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case a := <-c.answer:
			if a.failed {
				return nil, errors.New("told to fail")
			}
			return []byte(a.payload), nil
		case <-s.ended:
			return nil, errors.New("the test has ended")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	s.must(err)
}

// next is the next call. Where a batch pauses, its time passes.
func (s *stand) next() *call {
	s.Helper()
	c, done := s.nextOr(nil)
	if done {
		s.Fatal("not invoked")
	}
	return c
}

// nextOr is the next call, unless done is closed before.
func (s *stand) nextOr(done <-chan struct{}) (c *call, over bool) {
	s.Helper()
	for timeout := time.After(patience); ; {
		select {
		case c := <-s.calls:
			return c, false
		case <-done:
			return nil, true
		case <-s.told:
			for _, e := range s.heard() {
				s.passPause(e)
			}
		case <-timeout:
			s.Fatal("not invoked, and nothing pauses")
		}
	}
}

// expect is the next call, which must bring these records.
func (s *stand) expect(names string) *call {
	s.Helper()
	c := s.next()
	if got := c.names(); got != names {
		s.Fatalf("invoked with %q, want %q", got, names)
	}
	return c
}

// settle waits until the mapping has nothing left; where a batch pauses its time passes. A call meanwhile is one too many.
func (s *stand) settle() {
	s.Helper()
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Context()), patience)
		defer cancel()
		err = s.stack.AwaitCaughtUp(ctx, region, "orders")
	}()
	if c, over := s.nextOr(done); !over {
		c.reply(ok)
		s.Errorf("invoked once more, with %q", c.names())
		<-done
	}
	s.must(err)
}

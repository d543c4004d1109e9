// Command mirror is a function that copies a table to the one that MIRROR names. With FAULTS it fails, panics and dies on the way.
package main

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamattr"
)

type item struct {
	ID      string
	Version int64
}

func (it *item) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			it.ID = d.String()
		case "Version":
			it.Version = d.Int64()
		}
	}
}

func (it *item) MarshalImage(e *stream.Encoder) {
	e.Attr("Id")
	e.String(it.ID)
	e.Attr("Version")
	e.Int64(it.Version)
}

func (*item) KeyNames() []string { return []string{"Id"} }

type mirror struct {
	db     *dynamodb.Client
	faults bool

	mu       sync.Mutex
	attempts map[string]int
}

func newMirror(context.Context) (*mirror, error) {
	settings := aws.Config{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
	}
	return &mirror{db: dynamodb.NewFromConfig(settings), faults: os.Getenv("FAULTS") != "", attempts: map[string]int{}}, nil
}

func (m *mirror) handle(ctx context.Context, c stream.Change[item]) error {
	table := aws.String(os.Getenv("MIRROR"))
	if err := m.fault(c.EventID); err != nil {
		return err
	}
	if c.New == nil {
		key, err := streamattr.Marshal(&c.Keys)
		if err != nil {
			return err
		}
		delete(key, "Version")
		_, err = m.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key})
		return err
	}
	values, err := streamattr.Marshal(c.New)
	if err != nil {
		return err
	}
	_, err = m.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: values})
	return err
}

// fault does to the first attempts of some records what goes wrong in practice.
func (m *mirror) fault(eventID string) error {
	if !m.faults {
		return nil
	}
	m.mu.Lock()
	m.attempts[eventID]++
	attempt := m.attempts[eventID]
	m.mu.Unlock()
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(eventID)) // a hash takes everything
	switch kind := sum.Sum32() % 20; {
	case kind < 3 && attempt <= 2:
		return errors.New("not yet")
	case kind == 3 && attempt == 1:
		panic("not at all")
	case kind < 8 && attempt == 1 && dies():
		os.Exit(1)
	}
	return nil
}

// dies is true twice in the life of the function, which the folder DEATHS keeps.
func dies() bool {
	for _, name := range []string{"first", "second"} {
		f, err := os.OpenFile(filepath.Join(os.Getenv("DEATHS"), name), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = f.Close() // it is empty
			return true
		}
	}
	return false
}

func main() {
	stream.ServeNew(newMirror, func(m *mirror) []stream.Route {
		return []stream.Route{stream.On("", m.handle, stream.MaxConcurrency(8))}
	})
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// TestKillsLoseNothing kills gen local in the middle of a load, 5 times or as often as STREAMGEN_KILLS says, and starts it again in the
// same folder: each acknowledged write is there, each transaction is whole, and the stream, read on from where it was read before, tells how
// every item came to be what it is.
func TestKillsLoseNothing(t *testing.T) {
	kills := 5
	if text := os.Getenv("STREAMGEN_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	l := &load{dir: t.TempDir(), random: rand.New(rand.NewPCG(1, uint64(kills))), acknowledged: map[string]int{}, tried: map[string]int{}}
	reader := &streamReader{after: map[string]string{}, items: map[string]map[string]streamtypes.AttributeValue{}}
	for range kills {
		s := startLocal(t, l.dir)
		if l.stream == "" {
			l.createTables(t, s)
		}
		l.check(t, s)
		reader.read(t, s, l.stream)
		reader.check(t, s)
		l.run(t, s)
	}
	s := startLocal(t, l.dir)
	l.check(t, s)
	reader.read(t, s, l.stream)
	reader.check(t, s)
	s.kill()
	t.Logf("%d kills, %d acknowledged writes, %d records", kills, l.writes, reader.records)
}

// localStack is a gen local of its own process.
type localStack struct {
	cmd *exec.Cmd
	// tables does not try again what failed.
	tables, reads *dynamodb.Client
	streams       *dynamodbstreams.Client
}

func startLocal(t *testing.T, dir string) *localStack {
	t.Helper()
	cmd := exec.Command("gen", "local", "--listen", "127.0.0.1:0", "--json", "--data-dir", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &localStack{cmd: cmd}
	t.Cleanup(s.kill)
	var ready struct{ Endpoint string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, &ready)); err != nil {
		t.Fatalf("gen local in %s: %v", dir, err)
	}
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &ready.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
	}
	// The SDK now and then closes its connection in the middle of a long answer: https://github.com/aws/aws-sdk-go-v2/issues/2737
	s.reads, s.streams = dynamodb.NewFromConfig(config), dynamodbstreams.NewFromConfig(config)
	s.tables = dynamodb.NewFromConfig(config, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	return s
}

// kill is kill -9. A second one does nothing.
func (s *localStack) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // which says that it was killed
}

// load writes numbers that grow, each key from one writer.
type load struct {
	dir, stream string
	random      *rand.Rand

	mu           sync.Mutex
	acknowledged map[string]int // by table and key
	tried        map[string]int // the greatest number that may have been written
	writes       int
}

var loadTables = []string{"orders", "totals"}

func (l *load) createTables(t *testing.T, s *localStack) {
	t.Helper()
	for _, name := range loadTables {
		out, err := s.tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
			StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		})
		if err != nil {
			t.Fatal(err)
		}
		if name == "orders" {
			l.stream = *out.TableDescription.LatestStreamArn
		}
	}
}

// run loads the stack from several clients, and kills it after a random number of writes.
func (l *load) run(t *testing.T, s *localStack) {
	t.Helper()
	left := 1 + l.random.IntN(300)
	killed := false
	done := func(err error, n int, keys ...string) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			if !killed {
				t.Error(err)
			}
			return false
		}
		for _, key := range keys {
			l.acknowledged[key] = n
		}
		l.writes++
		if left--; left == 0 {
			killed = true
			_ = s.cmd.Process.Kill() // that it is gone, its clients notice
		}
		return true
	}
	var writers sync.WaitGroup
	for w := range 8 {
		r := rand.New(rand.NewPCG(l.random.Uint64(), 1))
		writers.Go(func() {
			for {
				key := fmt.Sprintf("%d-%d", w, r.IntN(5))
				keys := []string{"orders/" + key}
				write := putNumber
				if r.IntN(3) == 0 {
					key = "both-" + key
					keys, write = []string{"orders/" + key, "totals/" + key}, transactNumber
				} else if r.IntN(2) == 0 {
					write = updateNumber
				}
				n := l.try(keys...)
				err := write(s, key, n)
				if !done(err, n, keys...) {
					return
				}
			}
		})
	}
	writers.Wait()
	s.kill()
}

// try gives the number that comes after all that may have been written under the keys, which are always written together.
func (l *load) try(keys ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.tried[key]++
	}
	return l.tried[keys[0]]
}

func numbered(key string, n int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}, "n": &types.AttributeValueMemberN{Value: strconv.Itoa(n)}}
}

func putNumber(s *localStack, key string, n int) error {
	_, err := s.tables.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: numbered(key, n)})
	return err
}

// updateNumber is conditional on the number's being greater than all that came before.
func updateNumber(s *localStack, key string, n int) error {
	all := numbered(key, n)
	_, err := s.tables.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"pk": all["pk"]}, UpdateExpression: aws.String("SET n = :n ADD updates :one"),
		ConditionExpression:       aws.String("attribute_not_exists(n) OR n < :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": all["n"], ":one": &types.AttributeValueMemberN{Value: "1"}},
	})
	return err
}

func transactNumber(s *localStack, key string, n int) error {
	var writes []types.TransactWriteItem
	for _, table := range loadTables {
		writes = append(writes, types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: numbered(key, n)}})
	}
	_, err := s.tables.TransactWriteItems(context.Background(), &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	return err
}

// check compares what the tables hold with what was written. What is found counts as acknowledged: it must not go again.
func (l *load) check(t *testing.T, s *localStack) {
	t.Helper()
	found := map[string]int{}
	for _, table := range loadTables {
		for key, it := range scanAll(t, s, table) {
			n, err := strconv.Atoi(it["n"].(*types.AttributeValueMemberN).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[table+"/"+key] = n
		}
	}
	for key, tried := range l.tried {
		if n := found[key]; n < l.acknowledged[key] || n > tried {
			t.Errorf("%s is %d; %d was acknowledged, %d tried", key, n, l.acknowledged[key], tried)
		}
		if both, ok := strings.CutPrefix(key, "totals/"); ok && found[key] != found["orders/"+both] {
			t.Errorf("%s is %d, and orders/%s is %d, which one transaction wrote", key, found[key], both, found["orders/"+both])
		}
	}
	for key, n := range found {
		if l.tried[key] == 0 {
			t.Errorf("%s is %d, which nobody wrote", key, n)
		}
		l.acknowledged[key] = n
	}
}

func scanAll(t *testing.T, s *localStack, table string) map[string]map[string]types.AttributeValue {
	t.Helper()
	all := map[string]map[string]types.AttributeValue{}
	pages := dynamodb.NewScanPaginator(s.reads, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			all[it["pk"].(*types.AttributeValueMemberS).Value] = it
		}
	}
	return all
}

// streamReader reads the stream of orders and makes the table of it.
type streamReader struct {
	after   map[string]string // by shard, the last sequence number
	items   map[string]map[string]streamtypes.AttributeValue
	records int
}

func (r *streamReader) read(t *testing.T, s *localStack, stream string) {
	t.Helper()
	d, err := s.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &stream})
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range d.StreamDescription.Shards {
		in := dynamodbstreams.GetShardIteratorInput{StreamArn: &stream, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
		if after := r.after[*shard.ShardId]; after != "" {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, &after
		}
		it, err := s.streams.GetShardIterator(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		for next := it.ShardIterator; next != nil; {
			page, err := s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: next})
			if err != nil {
				t.Fatal(err)
			}
			for _, record := range page.Records {
				r.take(t, record.Dynamodb)
				r.after[*shard.ShardId] = *record.Dynamodb.SequenceNumber
			}
			if next = page.NextShardIterator; len(page.Records) == 0 {
				break
			}
		}
	}
}

func (r *streamReader) take(t *testing.T, change *streamtypes.StreamRecord) {
	t.Helper()
	r.records++
	key := change.Keys["pk"].(*streamtypes.AttributeValueMemberS).Value
	if old := r.items[key]; !reflect.DeepEqual(old, change.OldImage) {
		t.Errorf("record %s: %s was %v, but the records before make it %v", *change.SequenceNumber, key, change.OldImage, old)
	}
	r.items[key] = change.NewImage
}

// check compares the table with what the records make of it.
func (r *streamReader) check(t *testing.T, s *localStack) {
	t.Helper()
	table := scanAll(t, s, "orders")
	if len(table) != len(r.items) {
		t.Errorf("the table has %d items, the stream makes %d", len(table), len(r.items))
	}
	for key, it := range table {
		if want := numbers(r.items[key]); !maps.Equal(numbers(it), want) {
			t.Errorf("%s is %v, the stream makes it %v", key, numbers(it), want)
		}
	}
}

// numbers are the numeric attributes of an item of either client.
func numbers[V any](it map[string]V) map[string]string {
	all := map[string]string{}
	for name, v := range it {
		switch v := any(v).(type) {
		case *types.AttributeValueMemberN:
			all[name] = v.Value
		case *streamtypes.AttributeValueMemberN:
			all[name] = v.Value
		}
	}
	return all
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/spf13/cobra"

	"streamgen/internal/records"
	"streamgen/internal/report"
)

type recordOptions struct {
	env   environment
	out   string
	from  string
	limit time.Duration
	count int
	shard string
	json  bool
}

func newRecord(std streams, at func() (string, error)) *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record TABLE --out FILE",
		Short: "Record a table's stream into a file",
		Long: `Read the stream of a table, local or on AWS, and write its records to a file, as Lambda hands them to a function, until it is interrupted, has
what --count and --for say, or the stream has ended. 'gen replay' gives them to a handler. Nothing of the stream is taken away: its handlers do not notice,
but that AWS lets two read a shard at the same time.

A file that is there is gone on with, from the last record that it has of each shard; it must be of the same stream. It is readable at any time, also after a
crash. A record holds whatever the table does: treat the file like the table.

On AWS it takes dynamodb:DescribeTable, DescribeStream, GetShardIterator and GetRecords.`,
		Example: `  gen record orders --out orders.jsonl                             # from now on
  gen record orders --env prod --out orders.jsonl --from trim_horizon --for 10m
  gen record orders --env local --out - --count 100 | jq .record.dynamodb.Keys`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runRecord(cmd.Context(), std, start, args[0], o)
		},
		ValidArgsFunction: only(1, completeEntries(at, false, true)),
	}
	o.env.endpointFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "write to `FILE`; - is stdout")
	f.StringVar(&o.from, "from", "latest", "begin with what is written from now on, latest, or with all that the stream has, trim_horizon")
	f.DurationVar(&o.limit, "for", 0, "stop after this `DURATION`, such as 10m")
	f.IntVar(&o.count, "count", 0, "stop after `N` records")
	f.StringVar(&o.shard, "shard", "", "read the shard with this `ID` alone")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	_ = cmd.MarkFlagFilename("out")
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"latest", "trim_horizon"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// recorded is the result of gen record, as --json prints it: fields are added, never renamed or taken away.
type recorded struct {
	File      string `json:"file"`
	Table     string `json:"table"`
	StreamARN string `json:"stream_arn"`
	// Records were written by this run, of Shards shards; Total are in the file.
	Records int `json:"records"`
	Shards  int `json:"shards"`
	Total   int `json:"total"`
}

func (o recordOptions) check() error {
	switch {
	case o.out == "":
		return usagef("want --out FILE, or --out - for stdout")
	case o.out == "-" && o.json:
		return usagef("--json and --out - both write to stdout")
	case o.count < 0 || o.limit < 0:
		return usagef("--count and --for are not below 0")
	case !strings.EqualFold(o.from, "latest") && !strings.EqualFold(o.from, "trim_horizon"):
		return usagef("--from %s: want latest or trim_horizon", o.from)
	}
	return nil
}

func runRecord(ctx context.Context, std streams, start, table string, o recordOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	p, err := openPlace(std, start, o.env, false)
	if err != nil {
		return err
	}
	t, err := p.table(table)
	if err != nil {
		return err
	}
	settings, err := p.connect(ctx)
	if err != nil {
		return err
	}
	stream, err := p.streamOf(ctx, settings, t)
	if err != nil {
		return err
	}
	client := dynamodbstreams.NewFromConfig(settings)
	about, err := describeStream(ctx, client, stream)
	if err != nil {
		return err
	}
	h := records.Header{
		Table: records.TableOf(stream), StreamARN: stream, Region: p.env.settings.Region, ViewType: string(about.StreamViewType), Begun: time.Now().UTC(),
	}
	for _, k := range about.KeySchema {
		h.Keys = append(h.Keys, *k.AttributeName)
	}
	to, err := o.open(std, start, h)
	if err != nil {
		return err
	}
	f := follower{
		client: client, stream: stream, region: h.Region, latest: strings.EqualFold(o.from, "latest"), shard: o.shard, last: to.before(),
		tell: std.printf, sleep: sleep, pause: 250 * time.Millisecond,
	}
	if to.file != nil && to.file.Count > 0 {
		std.printf("gen: %s has %s; going on behind them\n", o.out, count(to.file.Count, "record"))
	}
	std.printf("gen: recording the stream of %s from %s on; interrupt to end it\n", h.Table, strings.ToLower(o.from))
	err = o.record(ctx, std, &f, to)
	err = errors.Join(err, to.close())
	if err != nil {
		return err
	}
	return to.print(std, o, h)
}

// record writes what the follower reads until one of the ends that are no error.
func (o recordOptions) record(ctx context.Context, std streams, f *follower, to *recording) error {
	reading, cancel := context.WithCancel(ctx)
	if o.limit > 0 {
		reading, cancel = context.WithTimeout(ctx, o.limit)
	}
	defer cancel()
	told := time.Now()
	f.take = func(list []records.Record) error {
		if o.count > 0 && to.written >= o.count { // another shard had the last of them
			return errEnough
		}
		if o.count > 0 {
			list = list[:min(len(list), o.count-to.written)]
		}
		if err := to.write(list); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(told) > 10*time.Second {
			told = now
			std.printf("gen: %s, the last one %s old\n", count(to.written, "record"), now.Sub(list[len(list)-1].At).Round(time.Second))
		}
		if o.count > 0 && to.written >= o.count {
			return errEnough
		}
		return nil
	}
	err := f.run(reading)
	if reading.Err() != nil && errors.Is(err, reading.Err()) { // interrupted, or the time is over
		return nil
	}
	return err
}

// recording is where records go: a file, or stdout.
type recording struct {
	file    *records.File
	out     io.Writer
	written int
	shards  map[string]bool
}

func (o recordOptions) open(std streams, start string, h records.Header) (*recording, error) {
	r := &recording{shards: map[string]bool{}}
	if o.out == "-" {
		r.out = std.out
		h.Recording = records.Version
		line, err := h.Line()
		if err == nil {
			_, err = r.out.Write(line)
		}
		return r, err
	}
	path := within(start, o.out)
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, usageError{err}
	}
	var err error
	r.file, err = records.Open(path, h)
	return r, err
}

// before is up to where the file has each shard.
func (r *recording) before() map[string]string {
	last := map[string]string{}
	if r.file != nil {
		for shard, sequence := range r.file.Last {
			last[shard] = sequence
		}
	}
	return last
}

func (r *recording) write(list []records.Record) (err error) {
	if r.file != nil {
		err = r.file.Write(list)
	} else {
		for _, record := range list {
			var line []byte
			if line, err = record.Line(); err == nil {
				_, err = r.out.Write(line)
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	r.written += len(list)
	for _, record := range list {
		r.shards[record.Shard] = true
	}
	return nil
}

func (r *recording) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

func (r *recording) print(std streams, o recordOptions, h records.Header) error {
	result := recorded{File: o.out, Table: h.Table, StreamARN: h.StreamARN, Records: r.written, Shards: len(r.shards), Total: r.written}
	if r.file != nil {
		result.Total = r.file.Count
	}
	if o.json {
		return report.JSON(std.out, result)
	}
	std.printf("gen: %s of %s\n", count(result.Records, "record"), count(result.Shards, "shard"))
	return nil
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/local"
)

type localOptions struct {
	listen  string
	region  string
	dataDir string
	json    bool
	verbose bool
	anyUser bool
	iam     string
}

func newLocal(std streams) *cobra.Command {
	var o localOptions
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run the local stack: DynamoDB, Streams, Lambda and the mapping between them",
		Long: `Run the local stack until it is interrupted: DynamoDB and DynamoDB Streams, Lambda with the real handler processes, event
source mappings, and as much of IAM, STS and CloudWatch Logs as they need. It holds everything in memory, needs no account
and listens on this machine alone. With --data-dir everything but the events of log groups outlives it: what was
acknowledged is there after it ended, however it ended.

What handlers log goes to stdout. Any AWS SDK or CLI talks to it with AWS_ENDPOINT_URL and any credentials. What is
not emulated is refused by its name.`,
		Example: `  gen local
  gen local --listen 127.0.0.1:4567
  gen local --data-dir .gen/stack
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws dynamodb list-tables`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLocal(cmd.Context(), std, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:4566", "loopback `ADDRESS:PORT` to serve; port 0 takes a free one")
	f.StringVar(&o.region, "region", "us-east-1", "`REGION` of requests that are not signed for one")
	f.StringVar(&o.dataDir, "data-dir", "", "keep everything in `DIR` across restarts; one stack at a time may have it open")
	f.StringVar(&o.iam, "iam", "on", "\"off\" lets every role do everything: policies are kept and not enforced")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line: that the stack is ready, each log line and each request")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell each request on stderr")
	f.BoolVar(&o.anyUser, "any-user", false, "serve every user of this machine, who can then do what you can; otherwise you and root")
	return cmd
}

// localEvent is a line that gen local --json prints.
type localEvent struct {
	// Event is "ready", "log" or "request".
	Event    string     `json:"event"`
	Endpoint string     `json:"endpoint,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
	Region   string     `json:"region,omitempty"`
	Group    string     `json:"group,omitempty"`
	Stream   string     `json:"stream,omitempty"`
	Message  string     `json:"message,omitempty"`
	*localRequest
}

// localRequest is what a line of a request has beside its time and region.
type localRequest struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Tables are those that the request names.
	Tables []string `json:"tables,omitempty"`
	// Status is the HTTP status; 0 when the connection was ended without an answer.
	Status int `json:"status"`
	// Error is the error's code.
	Error string `json:"error,omitempty"`
	// Missing is the statement for want of which a role was denied.
	Missing json.RawMessage `json:"missing,omitempty"`
	TookMS  float64         `json:"took_ms"`
}

func requestEvent(r local.Request) localEvent {
	return localEvent{Event: "request", Time: &r.Time, Region: r.Region, localRequest: &localRequest{
		Service: r.Service, Operation: r.Operation, Tables: r.Tables, Status: r.Status, Error: r.Code, Missing: json.RawMessage(r.Missing),
		TookMS: float64(r.Took.Microseconds()) / 1000,
	}}
}

func runLocal(ctx context.Context, std streams, o localOptions) error {
	var mu sync.Mutex // handlers log from several processes at once
	emit := func(e localEvent) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case o.json:
			_ = json.NewEncoder(std.out).Encode(e) // a reader that went away does not stop the stack
		case e.Event == "log":
			fmt.Fprintf(std.out, "%s %s\n", e.Group, e.Message)
		}
	}
	if o.iam != "on" && o.iam != "off" {
		return fmt.Errorf("--iam %s: want on or off", o.iam)
	}
	options := local.Options{
		IgnorePolicies: o.iam == "off",
		Denied: func(d local.Denial) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(std.err, "gen: denied: %s\n", d)
		},
		Listen:  o.listen,
		Region:  o.region,
		DataDir: o.dataDir,
		AnyUser: o.anyUser,
		Logs: func(e local.LogEvent) {
			emit(localEvent{Event: "log", Time: &e.Time, Region: e.Region, Group: e.Group, Stream: e.Stream, Message: e.Message})
		},
	}
	if o.json {
		options.Requests = func(r local.Request) { emit(requestEvent(r)) }
	}
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelInfo // each request
	}
	options.Logger = slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
	stack, err := local.Start(ctx, options)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; if that is not a stack of yours, choose another port with --listen, and name it to the other commands with --endpoint", err)
	}
	if err != nil {
		return err
	}
	emit(localEvent{Event: "ready", Endpoint: stack.Endpoint()})
	std.printf("gen: local stack on %s; interrupt to end it\n", stack.Endpoint())
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return stack.Close(closing)
}

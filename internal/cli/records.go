package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/cobra"

	"streamgen/internal/records"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// What the commands about single records have in common.

// place is a project as it is in one environment.
type place struct {
	std     streams
	project *project
	env     environment
	// tables and handlers are those of the environment.
	tables   []spec.Table
	handlers []spec.Handler
}

// endpointFlags binds the options of commands that reach an environment and run no terraform.
func (e *environment) endpointFlags(cmd *cobra.Command) {
	envFlag(cmd, &e.name)
	cmd.Flags().StringVar(&e.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack, for --env local")
}

// openPlace reads the spec. ours says that the handlers run here: then the environment may be left out of a spec that has several.
func openPlace(std streams, start string, env environment, ours bool) (place, error) {
	p, err := loadSpec(start, findingsText)
	if err != nil {
		return place{}, err
	}
	if ours && env.name == "" {
		env.name = localEnvironment
	}
	env.complete(start)
	if err := env.resolve(p.spec); err != nil {
		return place{}, err
	}
	at := place{std: std, project: p, env: env, tables: p.spec.Tables, handlers: p.spec.Handlers}
	for _, e := range p.spec.Environments {
		if e.Name == env.name {
			at.tables, at.handlers = e.Tables, e.Handlers
		}
	}
	return at, nil
}

// handler finds a handler by its key in gen.yaml.
func (p place) handler(name string) (spec.Handler, error) {
	var names []string
	for _, h := range p.handlers {
		if h.Name == name {
			return h, nil
		}
		names = append(names, h.Name)
	}
	return spec.Handler{}, usagef("there is no handler %q; gen.yaml has %s", name, orNone(names))
}

// table finds a table by its key in gen.yaml.
func (p place) table(name string) (spec.Table, error) {
	var names []string
	for _, t := range p.tables {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return spec.Table{}, usagef("there is no table %q; gen.yaml has %s", name, orNone(names))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// source finds the table that a handler is to read: the named one, or its only one.
func (p place) source(h spec.Handler, table string) (spec.Source, spec.Table, error) {
	var names []string
	for _, s := range h.Sources {
		if s.Table == table || table == "" && len(h.Sources) == 1 {
			t, err := p.table(s.Table)
			return s, t, err
		}
		names = append(names, s.Table)
	}
	if table == "" {
		return spec.Source{}, spec.Table{}, usagef("the handler %s reads several tables: choose one with --table: %s", h.Name, strings.Join(names, ", "))
	}
	return spec.Source{}, spec.Table{}, usagef("the handler %s does not read the table %q, but %s", h.Name, table, strings.Join(names, ", "))
}

// sourceOf finds the table of a handler whose name in AWS is this; a handler with one table has no other, whatever its name is elsewhere.
func (p place) sourceOf(h spec.Handler, tableName string) (spec.Source, spec.Table, error) {
	if len(h.Sources) == 1 {
		return p.source(h, "")
	}
	best, longest := "", -1 // of several names that fit, as of orders and old-orders, the longest
	for _, s := range h.Sources {
		t, err := p.table(s.Table)
		switch {
		case err != nil:
			continue
		case p.tableName(t) == tableName:
			return s, t, nil
		case strings.HasSuffix(tableName, t.TableName) && len(t.TableName) > longest:
			best, longest = s.Table, len(t.TableName)
		}
	}
	if best == "" {
		return spec.Source{}, spec.Table{}, usagef("the handler %s reads no table with the name %s; choose one with --table", h.Name, tableName)
	}
	return p.source(h, best)
}

// tableName is the table's name in AWS.
func (p place) tableName(t spec.Table) string {
	switch {
	case t.StreamARN != "":
		return records.TableOf(t.StreamARN)
	case t.Existing:
		return t.TableName
	}
	return p.env.settings.NamePrefix + t.TableName
}

// plainFunction is the name of the handler's function in AWS. Those of its queues and tables begin with it.
func (p place) plainFunction(h spec.Handler) string {
	return p.env.settings.NamePrefix + h.FunctionName
}

// functionName is what the handler's mappings invoke: its function's name in AWS, and its alias.
func (p place) functionName(h spec.Handler) string {
	name := p.plainFunction(h)
	if h.Alias != "" {
		name += ":" + h.Alias
	}
	return name
}

// connect reaches the environment's AWS, or its stack, and refuses an account that it must not be in.
func (p place) connect(ctx context.Context) (aws.Config, error) {
	if p.env.local() {
		if _, err := probeStack(ctx, p.env.endpoint); err != nil {
			return aws.Config{}, err
		}
		return p.env.aws(ctx)
	}
	ambient, _ := tf.CloudEnvironment(os.Environ())
	if err := refuseLoopback(ambient); err != nil {
		return aws.Config{}, err
	}
	settings, err := p.env.aws(ctx)
	allowed := p.env.settings.AllowedAccountIDs
	if err != nil || len(allowed) == 0 {
		return settings, err
	}
	who, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return settings, fmt.Errorf("asking AWS for the account: %w", err)
	}
	if account := aws.ToString(who.Account); !slices.Contains(allowed, account) {
		return settings, fmt.Errorf("the credentials are of the account %s, and allowed_account_ids has %s", account, strings.Join(allowed, ", "))
	}
	return settings, nil
}

// streamOf gives the ARN of a table's stream.
func (p place) streamOf(ctx context.Context, settings aws.Config, t spec.Table) (string, error) {
	if t.StreamARN != "" {
		return t.StreamARN, nil
	}
	name := p.tableName(t)
	got, err := dynamodb.NewFromConfig(settings).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return "", fmt.Errorf("looking for the stream of the table %s: %w", name, err)
	}
	if got.Table.LatestStreamArn == nil {
		return "", fmt.Errorf("the table %s has no stream: set stream_view_type in %s and apply it", name, specFile)
	}
	return *got.Table.LatestStreamArn, nil
}

// completeEntries offers the handlers, the tables or both of the spec that is found, as far as they are not there already.
func completeEntries(at func() (string, error), handlers, tables bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		start, err := at()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		p, err := loadSpec(start, findingsText)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, h := range p.spec.Handlers {
			if handlers && !slices.Contains(args, h.Name) {
				names = append(names, h.Name)
			}
		}
		for _, t := range p.spec.Tables {
			if tables && !slices.Contains(args, t.Name) && !slices.Contains(names, t.Name) {
				names = append(names, t.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

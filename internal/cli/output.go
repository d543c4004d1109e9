package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type outputOptions struct {
	env  environment
	json bool
	raw  bool
}

func newOutput(std streams, at func() (string, error)) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "output [NAME]",
		Short: "Print the outputs of the last apply",
		Long: `Print what the last apply gave out: names and ARNs of tables, functions, streams and queues. NAME is an output, or a part of one by its
dotted path. Nothing is generated, compiled or planned, and no provider is started.

--raw prints a text, number or boolean alone, without a line's end, for scripts. Sensitive outputs are only printed when they are asked for by name
with --raw or --json. With stacks, the outputs are those of all stacks together, unless --stack names one.`,
		Example: `  gen output
  gen output tables.orders.name
  aws dynamodb scan --table-name "$(gen output --env prod --raw tables.orders.name)"
  gen output handlers --json | jq 'map(.function_name)'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runOutput(cmd.Context(), std, start, o, strings.Join(args, ""))
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			start, err := at()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			paths, _ := completeOutputs(cmd.Context(), start, o.env) // nothing to offer where it fails
			return paths, cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.env.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.raw, "raw", false, "print the value alone, for scripts")
	cmd.MarkFlagsMutuallyExclusive("json", "raw")
	return cmd
}

func runOutput(ctx context.Context, std streams, start string, o outputOptions, path string) error {
	if o.raw && path == "" {
		return usagef("--raw prints one value: name it, as in 'gen output --raw tables.orders.name'")
	}
	w, err := openAsIs(ctx, std, start, o.env)
	if err != nil {
		return err
	}
	all, err := w.allOutputs(ctx)
	if err != nil {
		return err
	}
	switch {
	case path != "" && len(all) == 0:
		return fmt.Errorf("no output %s: nothing is applied to %s yet", path, w.env.name)
	case path == "" && len(all) == 0:
		std.printf("gen: no outputs: nothing is applied to %s yet\n", w.env.name)
		fallthrough
	case path == "":
		return all.print(std, o.json)
	}
	found, err := all.find(path)
	if err != nil {
		return err
	}
	text, single := scalar(found.Value)
	switch {
	case found.Sensitive && !o.json && !o.raw:
		return usagef("%s is sensitive: --raw or --json prints it", path)
	case o.json:
		return report.JSON(std.out, found.Value)
	case o.raw && !single:
		return usagef("%s is not a text, number or boolean: --json prints it", path)
	case o.raw:
		_, err = io.WriteString(std.out, text)
	case single:
		_, err = fmt.Fprintln(std.out, text)
	default:
		_, err = io.WriteString(std.out, outputLines(path, found.Value))
	}
	return err
}

// outputs are values by name.
type outputs map[string]tf.Output

// allOutputs are the outputs of all chosen stacks. One that is an object in several of them has the keys of all.
func (w workplace) allOutputs(ctx context.Context) (outputs, error) {
	all := outputs{}
	return all, w.states(ctx, func(stack string, state *tf.State) error {
		got, err := state.Output(ctx)
		if err != nil {
			return err
		}
		for name, o := range got {
			if before, taken := all[name]; taken {
				united, ok := unite(before.Value, o.Value)
				if !ok {
					return usagef("several stacks have an output %s, one of them %s: choose one with --stack", name, stack)
				}
				o = tf.Output{Value: united, Sensitive: before.Sensitive || o.Sensitive}
			}
			all[name] = o
		}
		return nil
	})
}

// unite gives an object with the keys of both; false where they are not objects, or have a key in common.
func unite(a, b json.RawMessage) (json.RawMessage, bool) {
	var all, more map[string]json.RawMessage
	if json.Unmarshal(a, &all) != nil || json.Unmarshal(b, &more) != nil || all == nil || more == nil {
		return nil, false
	}
	for key, value := range more {
		if _, taken := all[key]; taken {
			return nil, false
		}
		all[key] = value
	}
	united, err := json.Marshal(all)
	return united, err == nil
}

// print prints all outputs, but the sensitive ones.
func (o outputs) print(std streams, asJSON bool) error {
	shown, text := map[string]json.RawMessage{}, ""
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if o[name].Sensitive {
			std.printf("gen: %s is sensitive: 'gen output %s' prints it with --raw or --json\n", name, name)
			continue
		}
		shown[name] = o[name].Value
		text += outputLines(name, o[name].Value)
	}
	if asJSON {
		return report.JSON(std.out, shown)
	}
	_, err := io.WriteString(std.out, text)
	return err
}

// find follows a dotted path from an output's name to a part of its value.
func (o outputs) find(path string) (tf.Output, error) {
	for name, out := range o {
		if rest, is := below(path, name); is {
			if value, found := follow(out.Value, rest); found {
				return tf.Output{Value: value, Sensitive: out.Sensitive}, nil
			}
		}
	}
	parent, part := "", path
	if dot := strings.LastIndex(path, "."); dot >= 0 {
		parent, part = path[:dot], path[dot+1:]
	}
	if parent == "" {
		return tf.Output{}, fmt.Errorf("no output %s, but %s", path, strings.Join(slices.Sorted(maps.Keys(o)), ", "))
	}
	in, err := o.find(parent)
	if err != nil {
		return tf.Output{}, err // which knows how far the path leads
	}
	keys := slices.Sorted(maps.Keys(parts(in.Value)))
	if len(keys) == 0 {
		return tf.Output{}, fmt.Errorf("no output %s: %s has no parts", path, parent)
	}
	return tf.Output{}, fmt.Errorf("no output %s: %s has no %q, but %s", path, parent, part, strings.Join(keys, ", "))
}

// follow gives the part of a value that a dotted path leads to. Keys may have dots themselves.
func follow(value json.RawMessage, path string) (json.RawMessage, bool) {
	if path == "" {
		return value, true
	}
	for key, part := range parts(value) {
		if rest, is := below(path, key); is {
			if found, ok := follow(part, rest); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// below gives what follows a key at the beginning of a path.
func below(path, key string) (rest string, is bool) {
	rest, is = strings.CutPrefix(path, key)
	if !is || rest == "" {
		return "", is
	}
	rest, is = strings.CutPrefix(rest, ".")
	return rest, is && rest != ""
}

// parts are the values in an object by key, or in a list by number.
func parts(value json.RawMessage) map[string]json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil {
		return object
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return nil
	}
	numbered := map[string]json.RawMessage{}
	for i, v := range list {
		numbered[strconv.Itoa(i)] = v
	}
	return numbered
}

// scalar gives a text, number or boolean as a person writes it.
func scalar(value json.RawMessage) (text string, is bool) {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case float64, bool:
		return string(value), true
	}
	return "", false
}

// outputLines prints an output, a line for each value in it.
func outputLines(path string, value json.RawMessage) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil && object != nil {
		text := ""
		for _, key := range slices.Sorted(maps.Keys(object)) {
			text += outputLines(path+"."+key, object[key])
		}
		return text
	}
	text, single := scalar(value)
	if !single {
		text = string(value)
	}
	return path + " = " + text + "\n"
}

// completeOutputs offers the paths of outputs, as the last apply left them.
func completeOutputs(ctx context.Context, start string, env environment) ([]string, error) {
	quiet := streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	w, err := openAsIs(ctx, quiet, start, env)
	if err != nil {
		return nil, err
	}
	all, err := w.allOutputs(ctx)
	if err != nil {
		return nil, err
	}
	var paths []string
	var add func(path string, value json.RawMessage)
	add = func(path string, value json.RawMessage) {
		paths = append(paths, path)
		for key, part := range parts(value) {
			add(path+"."+key, part)
		}
	}
	for name, o := range all {
		add(name, o.Value)
	}
	slices.Sort(paths)
	return paths, nil
}

package spec

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

var (
	accounts = list[string]{of: matching{
		pattern: regexp.MustCompile(`^[0-9]{12}$`), what: "the number of an account", form: `Write twelve digits in quotes, such as "123456789012".`,
	}, max: 100, form: "Write a list of account numbers in quotes."}
	namePrefixes = matching{pattern: regexp.MustCompile(`^[0-9A-Za-z_-]*$`), what: "letters, digits, '_' and '-'", form: "Choose a prefix such as prod-.", max: 32, empty: true}
	topicNames   = matching{pattern: regexp.MustCompile(`^[0-9A-Za-z_-]+$`), what: "letters, digits, '_' and '-'", form: "Choose a name such as alarms.", max: 200}
	environments = nameRule{
		noun: "the environment name", pattern: regexp.MustCompile(`^[a-z][a-z0-9-]*$`), chars: "small letters, digits and '-', a letter first", min: 1, max: 32, own: true, path: true,
		refused: reservedEnvironment,
	}
)

func reservedEnvironment(name string) (refusal, bool) {
	// The others are folders beside those of the environments.
	if windowsDevice.MatchString(name) || slices.Contains([]string{"default", "cache", "packages", "stacks"}, name) {
		return refusal{codeReservedName, "is taken", "Choose another name."}, true
	}
	return refusal{}, false
}

// LocalEnvironment is the name of the environment of the local stack. It is there without being in a spec.
const LocalEnvironment = "local"

var settingsFields = []field[Settings]{
	optional("region", "The environment's AWS region.", region{}, func(s *Settings) *string { return &s.Region }),
	optional("allowed_account_ids", "The only AWS accounts to work in.", accounts, func(s *Settings) *[]string { return &s.AllowedAccountIDs }),
	optional("name_prefix", "What stands before every name in AWS.", namePrefixes, func(s *Settings) *string { return &s.NamePrefix }),
	optional("backend", "Where terraform keeps the environment's state.", backendShape{}, func(s *Settings) *Backend { return &s.Backend }),
	optional("tags", "Tags beside those of the spec.", ownTags(), func(s *Settings) *[]Tag { return &s.Tags }),
}

// environmentsField reads the environments over what the rest of the spec says.
func environmentsField() field[Spec] {
	return field[Spec]{
		key: "environments", doc: "The places that the same HCL and programs are applied to, and what differs there.", late: true,
		setDefault: func(*decoder, *Spec) {},
		decode: func(d *decoder, v value, s *Spec, _ keySet) {
			entries, ok := d.entries(v, "Write one key per environment.")
			if !ok {
				return
			}
			for _, e := range entries {
				environments.check(d, e.key, e.keyPos)
				s.Environments = append(s.Environments, d.environment(s, e))
			}
		},
		schema: func() *jsonschema.Schema {
			env := fieldsSchema(settingsFields)
			overridable := func(entry *jsonschema.Schema) *jsonschema.Schema {
				return &jsonschema.Schema{Type: "object", AdditionalProperties: entry}
			}
			tables, handlers := overridable(overrideSchema(tableObject.fields)), overridable(overrideSchema(handlerObject.fields))
			tables.Description, handlers.Description = "What differs of tables.", "What differs of handlers."
			env.Properties.Set("tables", tables)
			env.Properties.Set("handlers", handlers)
			return &jsonschema.Schema{Type: "object", PropertyNames: environments.schema(), AdditionalProperties: env}
		},
	}
}

// overrideSchema describes an entry of which every key may be left out.
func overrideSchema[T any](fields []field[T]) *jsonschema.Schema {
	out := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, f := range fields {
		if !f.varies {
			continue
		}
		s := f.schema()
		if len(f.within) > 0 {
			s = overrideSchema(f.within)
		}
		s.Description = f.doc
		out.Properties.Set(f.key, s)
	}
	return out
}

func (d *decoder) environment(s *Spec, e entry) Environment {
	env := Environment{
		Name: e.key, Settings: s.Settings, Tables: slices.Clone(s.Tables), Handlers: slices.Clone(s.Handlers),
		Origin: Origin{Path: e.path, Pos: e.keyPos, Keys: map[string]diag.Position{}},
	}
	env.Tags = nil
	fields := settingsOf(e.key)
	fields = append(fields,
		field[Environment]{
			key: "tables", setDefault: func(*decoder, *Environment) {},
			decode: func(d *decoder, v value, env *Environment, _ keySet) {
				overrideEntries(d, v, tableObject, env, env.Tables, func(t *Table) (string, *Origin) { return t.Name, &t.Origin })
			},
		},
		field[Environment]{
			key: "handlers", setDefault: func(*decoder, *Environment) {},
			decode: func(d *decoder, v value, env *Environment, _ keySet) {
				overrideEntries(d, v, handlerObject, env, env.Handlers, func(h *Handler) (string, *Origin) { return h.Name, &h.Origin })
			},
		})
	if _, isNull := e.node.(*ast.NullNode); !isNull {
		decodeFields(d, e.value, "an environment", fields, &env, keySet{at: env.Origin.Keys})
	}
	env.Tags = merged(s.Tags, env.Tags)
	return env
}

// settingsOf are the settings that an environment has: the local one works on the stack of this machine alone.
func settingsOf(name string) []field[Environment] {
	var fields []field[Environment]
	for _, f := range settingsFields {
		if name == LocalEnvironment {
			f = refuses[Settings](f.key, refusal{codeNotPerEnvironment, "cannot be set for the local environment", "It works on the stack of this machine; tables and handlers may differ there."})
		}
		fields = append(fields, through(f, func(e *Environment) *Settings { return &e.Settings }))
	}
	return fields
}

// merged are tags and what an environment sets over them, by key.
func merged(tags, over []Tag) []Tag {
	byKey := map[string]Tag{}
	for _, t := range slices.Concat(tags, over) {
		byKey[strings.ToLower(t.Key)] = t
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
}

// overrideEntries decodes what an environment sets of tables, or of handlers, over a copy of each.
func overrideEntries[T any](d *decoder, v value, o object[T], env *Environment, list []T, of func(*T) (string, *Origin)) {
	entries, ok := d.entries(v, "Write one key per entry of the spec.")
	if !ok {
		return
	}
	for _, e := range entries {
		i := slices.IndexFunc(list, func(t T) bool { name, _ := of(&t); return name == e.key })
		if i < 0 {
			var names []string
			for _, t := range list {
				name, _ := of(&t)
				names = append(names, name)
			}
			d.report(codeUnknownEntry, e.keyPos, oneOf(e.key, names, "There are"), "the environment %s overrides %s, which is not in this spec", quote(env.Name), quote(e.key))
			continue
		}
		t := list[i]
		if h, isHandler := any(&t).(*Handler); isHandler {
			h.Sources = slices.Clone(h.Sources)
		}
		_, origin := of(&t)
		entry := origin.Path
		origin.Keys = maps.Clone(origin.Keys)
		set := overrideFields(d, e.value, o.noun, o.fields, &t, keySet{at: origin.Keys})
		if h, isHandler := any(&t).(*Handler); isHandler {
			spread(h, set)
		}
		for _, s := range set {
			s.Entry = entry
			env.Overrides = append(env.Overrides, s)
		}
		list[i] = t
	}
}

// spread gives a mapping key that an environment sets for a handler to all of its mappings that have none of their own.
func spread(h *Handler, set []Override) {
	changed := h.Sources[0]
	for i := range h.Sources {
		s := &h.Sources[i]
		for _, f := range mappingFields {
			_, own := s.Origin.Keys[f.key]
			if !slices.ContainsFunc(set, func(o Override) bool { return o.Key == f.key }) || own && s.Origin.Path != h.Origin.Path {
				continue
			}
			copyKey(f.key, s, changed)
		}
	}
}

// copyKey copies one of the keys of a mapping that environments may override.
func copyKey(key string, to *Source, from Source) {
	switch key {
	case "starting_position":
		to.StartingPosition = from.StartingPosition
	case "batch_size":
		to.BatchSize = from.BatchSize
	case "maximum_batching_window_in_seconds":
		to.MaximumBatchingWindow = from.MaximumBatchingWindow
	case "parallelization_factor":
		to.ParallelizationFactor = from.ParallelizationFactor
	case "bisect_batch_on_function_error":
		to.BisectBatchOnFunctionError = from.BisectBatchOnFunctionError
	case "maximum_retry_attempts":
		to.MaximumRetryAttempts = from.MaximumRetryAttempts
	case "maximum_record_age_in_seconds":
		to.MaximumRecordAge = from.MaximumRecordAge
	case "metrics_config":
		to.EventCount = from.EventCount
	case "enabled":
		to.Enabled = from.Enabled
	}
}

// backendShape is one backend by its type, with arguments that are passed through.
type backendShape struct{}

var backendTypes = []string{"local", "s3", "gcs", "azurerm", "http", "remote"}

func (backendShape) decode(d *decoder, v value) Backend {
	entries, ok := d.entries(v, "Write one of "+enumerate(backendTypes)+" with its arguments.")
	if !ok {
		return Backend{}
	}
	b := Backend{Pos: v.pos}
	if len(entries) != 1 {
		d.fail(v, codeInvalidValue, "Write one of "+enumerate(backendTypes)+".", "%s has %s", v.what, count(len(entries), "type", "types"))
		return b
	}
	e := entries[0]
	if !slices.Contains(backendTypes, e.key) {
		d.report(codeUnknownKey, e.keyPos, oneOf(e.key, backendTypes, "The backends are"), "there is no backend %s", quote(e.key))
		return b
	}
	b.Type = e.key
	b.Settings = d.backendSettings(e.value)
	return b
}

func (d *decoder) backendSettings(v value) []BackendSetting {
	entries, ok := d.entries(v, "Write the backend's arguments.")
	if !ok {
		return nil
	}
	var settings []BackendSetting
	for _, e := range entries {
		if isSecretArgument(e.key) {
			d.report(codeSecret, e.keyPos, "Leave it out: terraform takes it from the environment.", "%s of a backend is a secret, which a spec does not hold", clip(e.key))
			continue
		}
		s := BackendSetting{Key: e.key}
		switch n := e.node.(type) {
		case *ast.MappingNode:
			s.Value = d.backendSettings(e.value)
		case *ast.BoolNode:
			s.Value = n.Value
		case *ast.IntegerNode:
			s.Value = integer{min: 0, max: 1 << 30}.decode(d, e.value)
		default:
			s.Value = text{max: 4096}.decode(d, e.value)
		}
		settings = append(settings, s)
	}
	return settings
}

// isSecretArgument knows the arguments of backends that authenticate. https://developer.hashicorp.com/terraform/language/backend
func isSecretArgument(key string) bool {
	switch key {
	case "access_key", "secret_key", "token", "password", "sas_token", "client_secret", "client_certificate_password", "oidc_token",
		"oidc_request_token", "credentials", "access_token", "encryption_key", "sse_customer_key", "client_private_key_pem":
		return true
	}
	return false
}

func (backendShape) schema() *jsonschema.Schema {
	out := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema, MinProperties: bound(1), MaxProperties: bound(1)}
	for _, name := range backendTypes {
		out.Properties.Set(name, &jsonschema.Schema{Type: "object", Description: "The arguments of terraform's backend " + name + ", but secrets."})
	}
	return out
}

// pathOf is an item's place in a list.
func pathOf(path, key string, i int) string { return join(join(path, key), strconv.Itoa(i)) }

package spec

import (
	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

// field is one key of an object of type T. The decoder and the JSON Schema are made from the same fields.
type field[T any] struct {
	key      string
	doc      string
	required bool
	// preset is the value of a key that is not set; nil for none.
	preset     any
	setDefault func(t *T)
	decode     func(d *decoder, v value, t *T, keys map[string]diag.Position)
	schema     func() *jsonschema.Schema
}

// optional is a key that may be missing.
func optional[T, V any, S shape[V]](key, doc string, s S, in func(*T) *V) field[T] {
	return field[T]{
		key: key, doc: doc, schema: s.schema,
		setDefault: func(*T) {},
		decode:     func(d *decoder, v value, t *T, _ map[string]diag.Position) { *in(t) = s.decode(d, v) },
	}
}

// required is a key that must be there.
func required[T, V any, S shape[V]](key, doc string, s S, in func(*T) *V) field[T] {
	f := optional(key, doc, s, in)
	f.required = true
	return f
}

// preset is a key with a value of its own when it is missing.
func preset[T, V any, S shape[V]](key, doc string, s S, in func(*T) *V, standard V) field[T] {
	f := optional(key, doc, s, in)
	f.preset = standard
	f.setDefault = func(t *T) { *in(t) = standard }
	return f
}

// nested is a key whose value is a map of further fields of T, as blocks are in the AWS provider.
func nested[T any](key, doc string, fields ...field[T]) field[T] {
	return field[T]{
		key: key, doc: doc,
		setDefault: func(t *T) {
			for _, f := range fields {
				f.setDefault(t)
			}
		},
		decode: func(d *decoder, v value, t *T, keys map[string]diag.Position) {
			decodeFields(d, v, key, fields, t, keys)
		},
		schema: func() *jsonschema.Schema { return fieldsSchema(fields) },
	}
}

func decodeFields[T any](d *decoder, v value, noun string, fields []field[T], t *T, keys map[string]diag.Position) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	entries, ok := d.entries(v, listed("Its key is", "Its keys are", known))
	if !ok {
		return
	}
	meant := map[string]bool{}
entries:
	for _, e := range entries {
		for _, f := range fields {
			if f.key == e.key {
				keys[e.key] = e.keyPos
				f.decode(d, e.value, t, keys)
				continue entries
			}
		}
		meant[nearest(e.key, known)] = true
		d.report(codeUnknownKey, e.keyPos, oneOf(e.key, known, "The keys are"), "%s has no key %s", noun, quote(e.key))
	}
	for _, f := range fields {
		if _, set := keys[f.key]; set || !f.required && !meant[f.key] {
			continue
		}
		// A misspelt key was reported as unknown, and what depends on its value is not known; a key that could not be read may
		// be the missing one.
		d.broken[join(v.path, f.key)] = true
		if f.required && !meant[f.key] && !d.broken[v.path] {
			d.report(codeMissingKey, v.keyPos, "Add "+f.key+". "+f.doc, "%s needs the key %s", noun, f.key)
		}
	}
}

func listed(one, many string, words []string) string {
	if len(words) == 1 {
		many = one
	}
	return many + " " + enumerate(words) + "."
}

func join(path, step string) string {
	if path == "" {
		return step
	}
	return path + "." + step
}

func fieldsSchema[T any](fields []field[T]) *jsonschema.Schema {
	out := &jsonschema.Schema{
		Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, f := range fields {
		s := f.schema()
		s.Description = f.doc
		s.Default = f.preset
		out.Properties.Set(f.key, s)
		if f.required {
			out.Required = append(out.Required, f.key)
		}
	}
	return out
}

package spec

import (
	"fmt"

	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

// field is one key of an object of type T. The decoder and the JSON Schema are made from the same fields.
type field[T any] struct {
	key      string
	doc      string
	required bool
	// preset is the value of a key that is not set, minimal the one that it has with the profile minimal; nil for none.
	preset, minimal any
	setDefault      func(d *decoder, t *T)
	decode          func(d *decoder, v value, t *T, keys keySet)
	schema          func() *jsonschema.Schema
	// refused is why a key that the AWS provider knows cannot be set; such a key is not in the schema.
	refused *refusal
	// varies is set for keys that environments may override; within has the fields of a nested map.
	varies bool
	within []field[T]
	// late fields are decoded after all others.
	late bool
}

// keySet notes where keys stand, by their path below the entry.
type keySet struct {
	at     map[string]diag.Position
	prefix string
}

func (k keySet) note(key string, at diag.Position) { k.at[k.prefix+key] = at }

func (k keySet) has(key string) bool {
	_, set := k.at[k.prefix+key]
	return set
}

func (k keySet) below(key string) keySet { return keySet{k.at, k.prefix + key + "."} }

// optional is a key that may be missing.
func optional[T, V any, S shape[V]](key, doc string, s S, in func(*T) *V) field[T] {
	return field[T]{
		key: key, doc: doc, schema: s.schema,
		setDefault: func(*decoder, *T) {},
		decode:     func(d *decoder, v value, t *T, _ keySet) { *in(t) = s.decode(d, v) },
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
	f.setDefault = func(_ *decoder, t *T) { *in(t) = standard }
	return f
}

// inSchema gives a preset the form that it has in a file.
func inSchema[T any](f field[T], form any) field[T] {
	f.preset = form
	return f
}

// profiled is a preset that the profile minimal has another value for.
func profiled[T, V any, S shape[V]](key, doc string, s S, in func(*T) *V, standard, minimal V) field[T] {
	f := preset(key, doc, s, in, standard)
	f.minimal = minimal
	f.setDefault = func(d *decoder, t *T) {
		*in(t) = standard
		if d.minimal {
			*in(t) = minimal
		}
	}
	return f
}

// nested is a key whose value is a map of further fields of T, as blocks are in the AWS provider.
func nested[T any](key, doc string, fields ...field[T]) field[T] {
	return field[T]{
		key: key, doc: doc, within: fields,
		setDefault: func(d *decoder, t *T) {
			for _, f := range fields {
				f.setDefault(d, t)
			}
		},
		decode: func(d *decoder, v value, t *T, keys keySet) {
			decodeFields(d, v, key, fields, t, keys.below(key))
		},
		schema: func() *jsonschema.Schema { return fieldsSchema(fields) },
	}
}

// refuses is a key that the AWS provider has and a DynamoDB stream cannot use.
func refuses[T any](key string, why refusal) field[T] {
	return field[T]{
		key: key, refused: &why,
		setDefault: func(*decoder, *T) {},
		decode: func(d *decoder, v value, _ *T, _ keySet) {
			d.broken[v.path] = true
			d.report(why.code, v.keyPos, why.detail, "%s %s", key, why.reason)
		},
	}
}

// perEnvironment lets environments override a key, and all that lies within it.
func perEnvironment[T any](f field[T]) field[T] {
	f.varies = true
	for i := range f.within {
		f.within[i] = perEnvironment(f.within[i])
	}
	return f
}

// through makes a field of a part a field of the whole.
func through[T, P any](f field[P], part func(*T) *P) field[T] {
	out := field[T]{
		key: f.key, doc: f.doc, required: f.required, preset: f.preset, minimal: f.minimal, schema: f.schema,
		refused: f.refused, varies: f.varies, late: f.late,
		setDefault: func(d *decoder, t *T) { f.setDefault(d, part(t)) },
		decode:     func(d *decoder, v value, t *T, keys keySet) { f.decode(d, v, part(t), keys) },
	}
	for _, w := range f.within {
		out.within = append(out.within, through(w, part))
	}
	return out
}

func decodeFields[T any](d *decoder, v value, noun string, fields []field[T], t *T, keys keySet) {
	known := knownKeys(fields)
	entries, ok := d.entries(v, listed("Its key is", "Its keys are", known))
	if !ok {
		return
	}
	meant := map[string]bool{}
	var late []func()
	for _, e := range entries {
		f, found := fieldOf(fields, e.key)
		if !found {
			meant[nearest(e.key, known)] = true
			d.report(codeUnknownKey, e.keyPos, oneOf(e.key, known, "The keys are"), "%s has no key %s", noun, quote(e.key))
			continue
		}
		keys.note(e.key, e.keyPos)
		if f.late {
			late = append(late, func() { f.decode(d, e.value, t, keys) })
			continue
		}
		f.decode(d, e.value, t, keys)
	}
	for _, decode := range late {
		decode()
	}
	for _, f := range fields {
		if keys.has(f.key) || !f.required && !meant[f.key] {
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

// overrideFields decodes the keys that an environment sets over an entry of the spec, and gives their paths below the entry.
func overrideFields[T any](d *decoder, v value, noun string, fields []field[T], t *T, keys keySet) []Override {
	known := knownKeys(fields)
	entries, ok := d.entries(v, listed("Its key is", "Its keys are", known))
	if !ok {
		return nil
	}
	var set []Override
	for _, e := range entries {
		f, found := fieldOf(fields, e.key)
		switch {
		case !found:
			d.report(codeUnknownKey, e.keyPos, oneOf(e.key, known, "The keys are"), "%s has no key %s", noun, quote(e.key))
		case !f.varies && !anyVaries(f.within):
			d.broken[e.path] = true
			d.report(codeNotPerEnvironment, e.keyPos, "Set it in the entry itself: one HCL and one program serve all environments.",
				"%s of %s cannot differ from environment to environment", e.key, noun)
		case len(f.within) > 0:
			keys.note(e.key, e.keyPos)
			set = append(set, overrideFields(d, e.value, e.key, f.within, t, keys.below(e.key))...)
		default:
			keys.note(e.key, e.keyPos)
			f.decode(d, e.value, t, keys)
			set = append(set, Override{Key: keys.prefix + e.key, Pos: e.keyPos})
		}
	}
	return set
}

func anyVaries[T any](fields []field[T]) bool {
	for _, f := range fields {
		if f.varies || anyVaries(f.within) {
			return true
		}
	}
	return false
}

func fieldOf[T any](fields []field[T], key string) (field[T], bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field[T]{}, false
}

// knownKeys are the keys that messages offer.
func knownKeys[T any](fields []field[T]) []string {
	var known []string
	for _, f := range fields {
		if f.refused == nil {
			known = append(known, f.key)
		}
	}
	return known
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
		if f.refused != nil {
			continue
		}
		s := f.schema()
		s.Description = f.doc
		if f.minimal != nil {
			s.Description += " The profile minimal has another default: " + fmt.Sprint(f.minimal) + "."
		}
		s.Default = f.preset
		out.Properties.Set(f.key, s)
		if f.required {
			out.Required = append(out.Required, f.key)
		}
	}
	return out
}

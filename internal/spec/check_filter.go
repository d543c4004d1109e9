package spec

import (
	"fmt"
	"slices"

	"streamgen/internal/diag"
	"streamgen/internal/filter"
)

// Where is the key "where" as it is written. It is read against the attributes of a table, see [Source.Selection].
type Where struct {
	Text string
	// Pos is where the value begins. Its characters follow one another from there, unless Moved is set: then quotes, escapes or a block
	// stand between.
	Pos   diag.Position
	Moved bool
}

// Selection is what the mapping wants of its table's changes.
func (s Source) Selection(t Table) filter.Selection {
	selection, _ := s.selection(t)
	return selection
}

// FilterPatterns are the patterns that AWS filters the table's changes by: the spec's own, or what its typed filter becomes.
func (s Source) FilterPatterns(t Table) []string {
	if len(s.Patterns) > 0 {
		return s.Patterns
	}
	return s.Selection(t).Compile().Patterns
}

func (s Source) selection(t Table) (filter.Selection, []filter.Problem) {
	selection := filter.Selection{On: s.On, Changed: s.Changed}
	if s.Where.Text == "" {
		return selection, nil
	}
	var problems []filter.Problem
	selection.Where, problems = filter.ParseWhere(s.Where.Text, t.typeOf)
	return selection, problems
}

// typeOf gives the type of an attribute that a condition names, or advice where there is none.
func (t Table) typeOf(image filter.Image, path []string) (typ, advice string) {
	attributes := t.Attributes
	if image == filter.Keys {
		attributes = slices.DeleteFunc(slices.Clone(attributes), func(a Attribute) bool { return a.Name != t.HashKey && a.Name != t.RangeKey })
	}
	var of *Attribute
	for i, name := range path {
		if i > 0 {
			switch {
			case of.Type != Map:
				return "", fmt.Sprintf("%s is of type %s: only a map has attributes in it.", clip(path[i-1]), of.Type)
			case of.Of != nil: // the names are data
				of = of.Of
				continue
			}
			attributes = of.Attributes
		}
		at := slices.IndexFunc(attributes, func(a Attribute) bool { return a.Name == name })
		if at < 0 {
			var names []string
			for _, a := range attributes {
				names = append(names, a.Name)
			}
			if len(names) == 0 {
				return "", "Add it to the table's attributes."
			}
			return "", oneOf(name, names, "The attributes are")
		}
		of = &attributes[at]
	}
	if of.Type == "" { // it was reported
		return "", "Give it a type that DynamoDB has."
	}
	return string(of.Type), ""
}

// checkFilter holds a filter to the table's attributes and to the images that its stream has.
func (d *decoder) checkFilter(h Handler, source Source, t Table) {
	typed := len(source.On) > 0 || len(source.Changed) > 0 || source.Where.Text != ""
	if typed && len(source.Patterns) > 0 {
		d.report(codeFilter, keyPosition(h, source, "filter_criteria.filter"), "Keep one of the two.", "raw patterns do not go together with on, changed and where")
	}
	if d.broken[join(t.Origin.Path, "attributes")] {
		return
	}
	for _, name := range source.Changed {
		if _, ok := t.Attribute(name); !ok {
			d.report(codeUnknownAttribute, keyPosition(h, source, "changed"), "Add it to the table's attributes.", "changed names %s, which is not among the attributes of table %s", quote(name), quote(t.Name))
		}
	}
	selection, problems := source.selection(t)
	for _, p := range problems {
		summary := p.Summary
		if source.Where.Moved {
			summary += fmt.Sprintf(", at character %d", p.Offset+1)
		}
		d.report(codeCondition, source.Where.at(p.Offset), p.Detail, "%s", summary)
	}
	if len(source.Changed) > 0 {
		d.checkImages(t, keyPosition(h, source, "changed"), true, true)
	}
	if len(problems) > 0 {
		return
	}
	d.checkImages(t, source.Where.Pos, selection.Where.Uses(filter.Old), selection.Where.Uses(filter.New))
	compiled := selection.Compile()
	if compiled.Never {
		d.report(codeCondition, source.Where.Pos, "Change it: the handler would never be invoked.", "no record meets the condition")
	}
	for _, reason := range compiled.Reasons {
		at := keyPosition(h, source, reason.Key)
		if reason.Key == "where" {
			at = source.Where.Pos
		}
		d.warn(codeInFunction, at, "Nothing is to be done: gen writes the check into the function, which is invoked for records that it then leaves out.", "%s", reason.Text)
	}
}

// at is the position of a character of the condition.
func (c Where) at(offset int) diag.Position {
	pos := c.Pos
	if !c.Moved {
		pos.Column += offset
	}
	return pos
}

// checkImages holds to the images that a table's stream has.
func (d *decoder) checkImages(t Table, at diag.Position, needOld, needNew bool) {
	view, missing := t.StreamViewType, ""
	switch {
	case view == "" || view == "NEW_AND_OLD_IMAGES":
	case needOld && view != "OLD_IMAGE":
		missing = "old"
	case needNew && view != "NEW_IMAGE":
		missing = "new"
	}
	if missing != "" {
		d.report(codeImages, at, fmt.Sprintf("Write stream_view_type: NEW_AND_OLD_IMAGES for the table, in line %d.", t.Origin.Pos.Line),
			"the filter needs the %s image, which a stream with %s does not have", missing, view)
	}
}

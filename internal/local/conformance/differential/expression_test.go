package differential

import (
	"fmt"
	"slices"
	"strings"
)

// name gives a placeholder for an attribute, or its name.
func (g *generator) name() string {
	name := pick(g, "a", "b", "c", "d", "m", "l", "s", "pk", "sk")
	switch {
	case g.chance(3):
		placeholder := "#" + name
		if !g.chance(100) {
			g.names[placeholder] = name
		}
		return placeholder
	case g.chance(100):
		return pick(g, "name", "size", "Select", "status", "1a", "a-b")
	}
	return name
}

func (g *generator) path() string {
	path := g.name()
	for g.chance(5) {
		if g.chance(2) {
			path += "." + g.name()
		} else {
			path += fmt.Sprintf("[%d]", g.r.IntN(3))
		}
	}
	return path
}

func (g *generator) placeholder(kind string) string {
	name := ":" + strings.ToLower(kind) + fmt.Sprint(g.r.IntN(2))
	g.values[name] = g.value(kind)
	if g.chance(100) {
		g.values[name] = g.wrong()
	}
	return name
}

func (g *generator) anyPlaceholder() string {
	if g.chance(2) {
		return g.placeholder(pick(g, "S", "N"))
	}
	return g.placeholder(pick(g, kinds...))
}

func (g *generator) operand() string {
	switch g.r.IntN(8) {
	case 0:
		return "size(" + g.path() + ")"
	case 1, 2, 3:
		return g.path()
	default:
		return g.anyPlaceholder()
	}
}

func (g *generator) condition(depth int) string {
	if depth > 0 && g.chance(3) {
		switch g.r.IntN(4) {
		case 0:
			return "NOT " + g.condition(depth-1)
		case 1:
			return "(" + g.condition(depth-1) + ")"
		default:
			return g.condition(depth-1) + pick(g, " AND ", " OR ", " and ") + g.condition(depth-1)
		}
	}
	switch g.r.IntN(9) {
	case 0:
		return "attribute_exists(" + g.path() + ")"
	case 1:
		return "attribute_not_exists(" + g.path() + ")"
	case 2:
		g.values[":t"] = object{"S": pick(g, append(kinds, "X")...)}
		return "attribute_type(" + g.path() + ", :t)"
	case 3:
		return "begins_with(" + g.path() + ", " + g.anyPlaceholder() + ")"
	case 4:
		return "contains(" + g.path() + ", " + g.operand() + ")"
	case 5:
		return g.operand() + " BETWEEN " + g.operand() + " AND " + g.operand()
	case 6:
		return g.operand() + " IN (" + g.operand() + ", " + g.operand() + ")"
	default:
		return g.path() + " " + pick(g, "=", "<>", "<", "<=", ">", ">=") + " " + g.operand()
	}
}

func (g *generator) keyCondition(keys []key) string {
	one := func(k key) string {
		name := k.name
		if g.chance(3) {
			g.names["#"+name] = name
			name = "#" + name
		}
		v := func() string {
			kind := k.kind
			if g.chance(30) {
				kind = pick(g, kinds...)
			}
			p := fmt.Sprintf(":k%d", len(g.values))
			g.values[p] = g.value(kind)
			if kind == k.kind && !g.chance(4) {
				g.values[p] = g.keyValue(kind)
			}
			return p
		}
		if k == keys[0] && !g.chance(30) {
			return name + " = " + v()
		}
		switch g.r.IntN(4) {
		case 0:
			return "begins_with(" + name + ", " + v() + ")"
		case 1:
			return name + " BETWEEN " + v() + " AND " + v()
		default:
			return name + " " + pick(g, "=", "<", "<=", ">", ">=", "<>") + " " + v()
		}
	}
	out := one(keys[0])
	if len(keys) > 1 && g.chance(2) {
		out += " AND " + one(keys[1])
		if g.chance(10) {
			out = "(" + strings.Replace(out, " AND ", ") AND (", 1) + ")"
		}
	}
	if g.chance(40) {
		out += pick(g, " AND ", " OR ") + "a = " + g.anyPlaceholder()
	}
	return out
}

func (g *generator) updateExpression() string {
	sections := map[string]func() string{
		"SET": func() string {
			switch g.r.IntN(6) {
			case 0:
				return g.path() + " = if_not_exists(" + g.path() + ", " + g.operand() + ")"
			case 1:
				return g.path() + " = list_append(" + g.path() + ", " + g.placeholder("L") + ")"
			case 2:
				return g.path() + " = " + g.path() + pick(g, " + ", " - ") + g.placeholder("N")
			default:
				return g.path() + " = " + pick(g, g.anyPlaceholder(), g.path())
			}
		},
		"REMOVE": g.path,
		"ADD":    func() string { return g.path() + " " + g.placeholder(pick(g, "N", "NS", "SS", "BS", "S")) },
		"DELETE": func() string { return g.path() + " " + g.placeholder(pick(g, "NS", "SS", "BS", "N")) },
	}
	var out []string
	for range 1 + g.r.IntN(2) {
		section := pick(g, "SET", "SET", "REMOVE", "ADD", "DELETE")
		clauses := []string{sections[section]()}
		if g.chance(4) {
			clauses = append(clauses, sections[section]())
		}
		out = append(out, section+" "+strings.Join(clauses, ", "))
	}
	return strings.Join(out, " ")
}

// broken takes a token away from some expressions, or doubles it.
func (g *generator) broken(expression string) string {
	if !g.chance(20) {
		return expression
	}
	tokens := strings.Fields(expression)
	i := g.r.IntN(len(tokens))
	switch g.r.IntN(4) {
	case 0:
		tokens = slices.Delete(tokens, i, i+1)
	case 1:
		tokens = slices.Insert(tokens, i, tokens[i])
	case 2:
		tokens[i] = pick(g, "(", ")", ",", "=", "AND", ":", "#", "nope(a)", "..", "[", "((a))", "%")
	default:
		return strings.Repeat(" ", g.r.IntN(2))
	}
	return strings.Join(tokens, " ")
}

func (g *generator) valueList(n int) []any {
	list := []any{}
	kind := pick(g, "S", "N", "S", "N", pick(g, kinds...))
	for range n {
		list = append(list, g.value(kind))
	}
	return list
}

// comparison is a legacy condition.
func (g *generator) comparison() object {
	operator := pick(g, "EQ", "NE", "IN", "LE", "LT", "GE", "GT", "BETWEEN", "NOT_NULL", "NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH")
	n := map[string]int{"BETWEEN": 2, "IN": 2, "NULL": 0, "NOT_NULL": 0}
	count, given := n[operator]
	if !given {
		count = 1
	}
	if g.chance(12) {
		count = g.r.IntN(4)
	}
	c := object{"ComparisonOperator": operator}
	if count > 0 || g.chance(4) {
		c["AttributeValueList"] = g.valueList(count)
	}
	switch g.r.IntN(40) {
	case 0:
		delete(c, "ComparisonOperator")
	case 1:
		c["ComparisonOperator"] = "nope"
	}
	return c
}

func (g *generator) comparisons() object {
	out := object{}
	for range g.r.IntN(3) {
		out[pick(g, "a", "b", "c", "d", "pk", "m")] = g.comparison()
	}
	return out
}

func (g *generator) expected() object {
	out := object{}
	for range g.r.IntN(3) {
		name := pick(g, "a", "b", "c", "pk", "m")
		switch g.r.IntN(4) {
		case 0:
			out[name] = object{"Exists": false}
		case 1:
			out[name] = object{"Value": g.any()}
			if g.chance(3) {
				out[name].(object)["Exists"] = g.chance(2)
			}
		default:
			out[name] = g.comparison()
			if g.chance(12) {
				out[name].(object)["Value"] = g.any()
			}
			if g.chance(12) {
				out[name].(object)["Exists"] = g.chance(2)
			}
		}
	}
	return out
}

func (g *generator) keyConditions(keys []key) object {
	out := object{}
	for i, k := range keys {
		if i > 0 && g.chance(2) {
			break
		}
		c := g.comparison()
		if !g.chance(10) {
			c = object{"ComparisonOperator": "EQ", "AttributeValueList": []any{g.keyValue(k.kind)}}
			if i > 0 {
				c["ComparisonOperator"] = pick(g, "EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH")
			}
		}
		out[k.name] = c
	}
	if g.chance(20) {
		out["c"] = g.comparison()
	}
	return out
}

func (g *generator) updates() object {
	out := object{}
	for range g.r.IntN(3) {
		u := object{"Action": pick(g, "PUT", "ADD", "DELETE", "PUT", "nope")}
		if !g.chance(6) {
			u["Value"] = g.any()
		}
		if g.chance(8) {
			delete(u, "Action")
		}
		out[pick(g, "a", "b", "c", "d", "m", "l", "pk")] = u
	}
	return out
}

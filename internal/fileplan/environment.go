package fileplan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// TableVariable is the environment variable that holds a table's name in AWS.
func TableVariable(table string) string { return "TABLE_" + strings.ToUpper(LocalName(table)) }

// store is a service that keeps what environment variables refer to. The variable holds the ARN, the value is in no
// file.
type store struct {
	service string
	// actions are what reads from the store.
	actions []string
	// references and keys are the keys under which environments may differ: in what variables refer to, and in the
	// customer keys that it is encrypted with. They are parts of environment.variables.
	references, keys string
	// of is what a variable refers to in this store; empty for nothing. arn is its ARN, in the variable and in the
	// role's policy, and expression the ARN of the terraform variable name.
	of         func(spec.Variable) string
	arn        func(name string) any
	expression string
}

const environmentKey = "environment.variables"

// stores are Parameter Store and Secrets Manager.
var stores = []store{
	{
		service: "ssm", actions: []string{"ssm:GetParameter", "ssm:GetParameters"},
		references: "environment.parameters", keys: "environment.parameter_keys",
		of:         func(v spec.Variable) string { return v.SSMParameter },
		arn:        func(name string) any { return append(slices.Clone(parameters), strings.TrimPrefix(name, "/")) },
		expression: fmt.Sprintf(`"arn:${%s}:ssm:${%s}:${%s}:parameter/${trimprefix(name, "/")}"`, partition, region, account),
	},
	{
		service: "secretsmanager", actions: []string{"secretsmanager:GetSecretValue"},
		references: "environment.secrets", keys: "environment.secret_keys",
		of:         func(v spec.Variable) string { return v.Secret },
		arn:        func(name string) any { return name },
		expression: "name",
	},
}

// parameters is what the ARN of a parameter begins with. A slash at the beginning of the parameter's name is not
// there twice.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
var parameters = Text{"arn:", partition, ":ssm:", region, ":", account, ":parameter/"}

// referenced are the variables of a handler that refer to the store, with what they refer to.
func (s store) referenced(h spec.Handler) Object {
	object := Object{}
	for _, v := range h.Environment {
		if name := s.of(v); name != "" {
			object = append(object, Argument{v.Name, name})
		}
	}
	return object
}

// customerKeys are the keys that what a handler refers to is encrypted with, each once.
func (s store) customerKeys(h spec.Handler) []string {
	keys := []string{}
	for _, v := range h.Environment {
		if s.of(v) != "" && v.KMSKeyARN != "" && !slices.Contains(keys, v.KMSKeyARN) {
			keys = append(keys, v.KMSKeyARN)
		}
	}
	return keys
}

// plainVariables are the variables of a handler that hold their value.
func plainVariables(h spec.Handler) Object {
	object := Object{}
	for _, v := range h.Environment {
		if !slices.ContainsFunc(stores, func(s store) bool { return s.of(v) != "" }) {
			object = append(object, Argument{v.Name, v.Value})
		}
	}
	return object
}

// overrideReferences makes variables of what a handler refers to, where environments differ in it.
func (a arguments) overrideReferences(s *spec.Spec, h spec.Handler) {
	if !a.Varies(environmentKey) {
		return
	}
	for _, e := range s.Environments {
		for _, other := range e.Handlers {
			if other.Name != h.Name {
				continue
			}
			for _, s := range stores {
				a.overridden[s.references] = a.overridden[s.references] || !reflect.DeepEqual(s.referenced(h), s.referenced(other))
				a.overridden[s.keys] = a.overridden[s.keys] || !slices.Equal(s.customerKeys(h), s.customerKeys(other))
			}
		}
	}
}

// Merge is an object made of several, Objects and Expressions; of two entries with one name the last one counts.
type Merge []any

// variables are the function's environment variables: the spec's own and the names of the tables that the function
// uses. The names are no references to the tables, as [Handler.Function] says.
func (h Handler) variables() any {
	var parts Merge
	own := Object{}
	if h.Varies(environmentKey) {
		parts = append(parts, h.Var(environmentKey))
	} else {
		own = append(own, plainVariables(h.Handler)...)
	}
	for _, s := range stores {
		if h.Varies(s.references) {
			parts = append(parts, Expression(fmt.Sprintf("{ for variable, name in %s : variable => %s }", h.Var(s.references), s.expression)))
			continue
		}
		for _, r := range s.referenced(h.Handler) {
			own = append(own, Argument{r.Name, s.arn(r.Value.(string))})
		}
	}
	for _, name := range h.Uses() {
		own = append(own, Argument{TableVariable(name), h.tables[name].AWSName()})
	}
	own = append(own, h.companionVariables()...)
	slices.SortFunc(own, func(a, b Argument) int { return strings.Compare(a.Name, b.Name) })
	if len(parts) == 0 {
		return own
	}
	return append(parts, own)
}

// environmentStatements let the handler's code read what its variables refer to, and Lambda decrypt the variables for
// it.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func (h Handler) environmentStatements() []Statement {
	var statements []Statement
	for _, s := range stores {
		read := Statement{Actions: s.actions}
		if h.Varies(s.references) {
			read.ResourceList = Expression(fmt.Sprintf("[for name in values(%s) : %s]", h.Var(s.references), s.expression))
			read.When = "length(" + h.Var(s.references) + ") > 0"
			statements = append(statements, read)
		} else if referenced := s.referenced(h.Handler); len(referenced) > 0 {
			for _, r := range referenced {
				read.Resources = append(read.Resources, s.arn(r.Value.(string)))
			}
			read.Resources = distinct(read.Resources)
			statements = append(statements, read)
		}
		if h.Varies(s.keys) {
			statements = append(statements, Statement{
				Actions: []string{"kms:Decrypt"}, ResourceList: h.Var(s.keys), Conditions: viaService(s.service),
				When: "length(" + h.Var(s.keys) + ") > 0",
			})
		} else {
			statements = append(statements, useKeys(anys(s.customerKeys(h.Handler)), viaService(s.service), "kms:Decrypt")...)
		}
	}
	return append(statements, useKeys(keyOf(h.arguments, "kms_key_arn", h.KMSKeyARN), nil, "kms:Decrypt")...)
}

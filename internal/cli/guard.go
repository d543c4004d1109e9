package cli

import (
	"errors"
	"slices"
	"strings"

	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
)

// errRefused says that a plan destroys what nobody named.
var errRefused = errors.New("the plan destroys what holds data, or loses records")

// errWouldRefuse says that apply would refuse what was planned; the plan itself told so.
var errWouldRefuse = errors.New("apply would refuse this plan")

// allowedNames are the values of --allow-destroy and of the spec's key destroy.
type allowedNames []string

// allowedData reads --allow-destroy: table.NAME, queue.HANDLER and so on, stream.TABLE, or the address of any resource; an index or a
// replica follows its table after a slash.
func allowedData(flags []string) (allowedNames, error) {
	for _, f := range flags {
		kind, entry, found := strings.Cut(f, ".")
		if !found || kind == "" || entry == "" {
			return nil, usagef("--allow-destroy %s: want one of %s before a dot and the entry's name, or the address of a resource",
				f, strings.Join(guardKinds(), ", "))
		}
	}
	return flags, nil
}

// guardKinds are what stands before an entry's name.
func guardKinds() []string { return append(fileplan.DataKinds(), "mapping", streamKind) }

// of are the guards of a judgement that the names allow. An entry may be written as it is in gen.yaml or as terraform has it.
func (a allowedNames) of(j judge.Judgement) map[string]bool {
	allowed := map[string]bool{}
	for _, f := range j.Findings {
		if f.Guard != "" && (a.names(f.Guard) || a.names(f.Address+strings.TrimPrefix(f.Guard, f.Name))) {
			allowed[f.Guard] = true
		}
	}
	return allowed
}

// names reports whether a guard is among the names. The address of a resource of gen's may be written without its module.
func (a allowedNames) names(guard string) bool {
	return slices.ContainsFunc(a, func(name string) bool {
		return plainName(name) == plainName(guard) || "module."+fileplan.ModuleName+"."+name == guard
	})
}

// plainName is a name with its entry as terraform has it.
func plainName(name string) string {
	kind, entry, _ := strings.Cut(name, ".")
	if !slices.Contains(guardKinds(), kind) {
		return name
	}
	entry, rest, _ := strings.Cut(entry, "/")
	return kind + "." + fileplan.LocalName(entry) + "/" + rest
}

package fileplan

import (
	"slices"
	"strings"
)

// Move is a resource that has another address since its entry was renamed.
// https://developer.hashicorp.com/terraform/language/modules/develop/refactoring
type Move struct{ From, To string }

// Moves are the resources of renamed entries, in the order of the spec. A mapping has the names of its handler and its table.
func (m Module) Moves() []Move {
	was := map[string]string{} // the former local name of a renamed table, by its present one
	var moves []Move
	for _, t := range slices.Concat(m.Tables, m.Foreign) {
		if t.RenamedFrom == "" {
			continue
		}
		was[t.Local] = LocalName(t.RenamedFrom)
		moves = appendMoves(moves, t.Addresses(), t.Local, was[t.Local])
	}
	for _, h := range m.Handlers {
		if h.RenamedFrom == "" && len(was) == 0 {
			continue
		}
		former := h.Local
		if h.RenamedFrom != "" {
			former = LocalName(h.RenamedFrom)
		}
		for _, address := range h.Addresses() {
			kind, name, _ := strings.Cut(address, ".")
			from := former + strings.TrimPrefix(name, h.Local)
			for _, mapping := range h.Mappings() {
				if table := mapping.table.Local; name == mapping.Local && was[table] != "" {
					from = former + "_" + was[table]
				}
			}
			if from != name {
				moves = append(moves, Move{kind + "." + from, address})
			}
		}
	}
	return moves
}

func appendMoves(moves []Move, addresses []string, local, former string) []Move {
	for _, address := range addresses {
		kind, name, _ := strings.Cut(address, ".")
		moves = append(moves, Move{kind + "." + former + strings.TrimPrefix(name, local), address})
	}
	return moves
}

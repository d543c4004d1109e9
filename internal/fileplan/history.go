package fileplan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// History is what earlier specs of a project had, so that an entry that is gone is not taken for one that is to be destroyed. The
// zero History is that of a new project.
type History struct {
	// Entries gives the name in AWS of each entry of the last spec, by its path, such as "tables.orders".
	Entries map[string]string `json:"entries"`
	// Data are the resources of the last spec that hold data, each with what belongs to it, by the names that [DataName] gives.
	Data map[string][]string `json:"data,omitempty"`
	// Renamed gives the former path of entries, by the present one.
	Renamed map[string]string `json:"renamed,omitempty"`
	// Streams gives the view type of each table's stream by the table's name.
	Streams map[string]string `json:"streams,omitempty"`
	// NewStreams are the tables whose view type has changed, sorted.
	NewStreams []string `json:"new_streams,omitempty"`
	// Dropped are resources that left the spec and live on, as in Data: terraform is told to forget them.
	Dropped map[string][]string `json:"dropped,omitempty"`
	// Roots are all stacks that there have been, sorted; empty where there was the main one alone.
	Roots []string `json:"stacks,omitempty"`
	// Places are the stacks that an entry has been in, by its path, the present one at the end; none where that is the main one alone.
	Places map[string][]string `json:"places,omitempty"`
}

// DataName names a resource that holds data: a table, the queue or bucket of a handler's failures, or its queue of parked records. kind is
// "table", "queue", "bucket" or "parking".
func DataName(kind, entry string) string { return kind + "." + entry }

// Next gives the history with a spec that comes after, and the spec with what the history knows of it: an entry with the name in
// AWS of one that is gone was renamed. A warning stands for a table that was dropped, perhaps only in a plan, and is back.
func (h History) Next(s *spec.Spec) (*spec.Spec, History, diag.Findings) {
	known := *s
	known.Tables, known.Handlers = slices.Clone(s.Tables), slices.Clone(s.Handlers)
	next := History{Entries: entriesOf(s), Renamed: map[string]string{}, Dropped: map[string][]string{}}
	maps.Copy(next.Dropped, h.Dropped)
	for i := range known.Tables {
		t := &known.Tables[i]
		if !t.Existing {
			t.RenamedFrom = h.formerName(next, "tables.", t.Name, t.TableName, t.RenamedFrom)
		}
	}
	for i := range known.Handlers {
		f := &known.Handlers[i]
		f.RenamedFrom = h.formerName(next, "handlers.", f.Name, f.FunctionName, f.RenamedFrom)
	}
	next.Streams = streamsOf(s)
	for i := range known.Tables {
		t := &known.Tables[i]
		before, old := h.Streams[cmp.Or(t.RenamedFrom, t.Name)]
		t.NewStream = slices.Contains(h.NewStreams, t.Name) || slices.Contains(h.NewStreams, t.RenamedFrom) ||
			old && t.StreamViewType != "" && t.StreamViewType != before
		if t.NewStream {
			next.NewStreams = append(next.NewStreams, t.Name)
		}
	}
	slices.Sort(next.NewStreams)
	next.Data = dataOf(newModule(&known))
	findings := h.readded(&known)
	for name, addresses := range h.Data {
		if !h.renamedAway(next, name) {
			next.Dropped[name] = addresses
		}
	}
	maps.DeleteFunc(next.Dropped, func(name string, _ []string) bool {
		_, there := next.Data[name]
		return there || slices.Contains(s.Destroy, name)
	})
	h.notePlaces(&next, &known)
	return &known, next, findings
}

// Forgetting gives the history without resources that were dropped, or without a stack that is empty by the name "stack.NAME": nothing is
// known of them any more. Names that it does not have are given back.
func (h History) Forgetting(names []string) (History, []string) {
	h.Dropped, h.Roots = maps.Clone(h.Dropped), slices.Clone(h.roots())
	var unknown []string
	for _, name := range names {
		if stack, isStack := strings.CutPrefix(name, "stack."); isStack && slices.Contains(h.Roots, stack) && len(h.Roots) > 1 {
			h.Roots = slices.DeleteFunc(h.Roots, func(root string) bool { return root == stack })
			continue
		}
		if _, found := h.Dropped[name]; !found {
			unknown = append(unknown, name)
		}
		delete(h.Dropped, name)
	}
	return h, unknown
}

func entriesOf(s *spec.Spec) map[string]string {
	entries := map[string]string{}
	for _, t := range s.Tables {
		if !t.Existing {
			entries["tables."+t.Name] = t.TableName
		}
	}
	for _, h := range s.Handlers {
		entries["handlers."+h.Name] = h.FunctionName
	}
	return entries
}

// streamsOf gives the view types of the streams of tables that gen makes.
func streamsOf(s *spec.Spec) map[string]string {
	streams := map[string]string{}
	for _, t := range s.Tables {
		if t.StreamViewType != "" && !t.Existing {
			streams[t.Name] = t.StreamViewType
		}
	}
	return streams
}

func dataOf(m Module) map[string][]string {
	data := map[string][]string{}
	for _, t := range m.Tables {
		if !t.Existing {
			data[DataName("table", t.Name)] = t.Addresses()
		}
	}
	for _, h := range m.Handlers {
		for _, c := range h.Created() {
			if kind := c.DataKind(); kind != "" {
				data[DataName(kind, h.Name)] = c.Addresses()
			}
		}
		if h.ParkingQueue.Enabled {
			data[DataName("parking", h.Name)] = []string{h.parkingAddress()}
		}
	}
	return data
}

// formerName is the name that an entry had before: the one that the spec says, the one that the manifest remembers, or that of an
// entry which is gone and was the same in AWS. It is noted in next.
func (h History) formerName(next History, section, name, inAWS, said string) string {
	gone := func(path string) bool { _, there := next.Entries[path]; return !there }
	path := section + name
	former := said
	if was := h.Renamed[path]; former == "" && was != "" && gone(was) {
		former = strings.TrimPrefix(was, section)
	}
	if _, old := h.Entries[path]; !old && former == "" {
		for _, was := range slices.Sorted(maps.Keys(h.Entries)) {
			if strings.HasPrefix(was, section) && h.Entries[was] == inAWS && gone(was) {
				former = strings.TrimPrefix(was, section)
			}
		}
	}
	if former != "" {
		next.Renamed[path] = section + former
	}
	return former
}

// renamedAway reports whether a resource that holds data belongs to an entry that has another name now.
func (h History) renamedAway(next History, name string) bool {
	kind, entry, _ := strings.Cut(name, ".")
	section := "handlers."
	if kind == "table" {
		section = "tables."
	}
	for path, was := range next.Renamed {
		now := strings.TrimPrefix(path, section)
		if _, there := next.Data[DataName(kind, now)]; was == section+entry && there {
			return true
		}
	}
	return false
}

// readded finds tables that terraform would create though they live on, if it was told to forget them.
func (h History) readded(s *spec.Spec) diag.Findings {
	var findings diag.Findings
	for _, t := range s.Tables {
		if _, dropped := h.Dropped[DataName("table", t.Name)]; dropped && !t.Existing && !t.Import {
			findings.Warn("dropped-table", t.Origin.Pos,
				"the table \""+t.Name+"\" was dropped from the spec: where that was applied, it lives on and cannot be created",
				"Write import: true to take it back with what is in it.")
		}
	}
	return findings
}

// Removals are the addresses that terraform is to forget, sorted, without those that the module has again.
func (m Module) Removals() []string {
	if len(m.dropped) == 0 {
		return nil
	}
	var list []string
	present := m.Addresses()
	for _, addresses := range m.dropped {
		for _, a := range addresses {
			if !slices.Contains(present, a) {
				list = append(list, a)
			}
		}
	}
	slices.SortFunc(list, cmp.Compare[string])
	return slices.Compact(list)
}

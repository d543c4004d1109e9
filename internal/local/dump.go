package local

import (
	"net/http"
	"slices"
	"time"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/host"
	"streamgen/internal/local/keys"
	"streamgen/internal/local/streams"
)

// What a dump tells of a region.
type regionDump struct {
	Tables    []tableDump    `json:"tables"`
	Streams   []streamDump   `json:"streams"`
	Functions []functionDump `json:"functions"`
	Mappings  []mappingDump  `json:"mappings"`
	// Resources are the ARNs of all else: queues, topics, log groups, alarms, keys, parameters, secrets and scalable targets.
	Resources []string `json:"resources"`
}

type tableDump struct {
	Name      string `json:"name"`
	ARN       string `json:"arn"`
	Items     int    `json:"items"`
	Bytes     int    `json:"bytes"`
	StreamARN string `json:"stream_arn,omitempty"`
}

type streamDump struct {
	ARN     string      `json:"arn"`
	Table   string      `json:"table"`
	Status  string      `json:"status"`
	View    string      `json:"view"`
	Records int         `json:"records"`
	Shards  []shardDump `json:"shards"`
}

type shardDump struct {
	ID       string `json:"id"`
	ParentID string `json:"parent_id,omitempty"`
	Closed   bool   `json:"closed"`
	First    string `json:"first"`
	Last     string `json:"last,omitempty"`
}

type functionDump struct {
	Name         string    `json:"name"`
	ARN          string    `json:"arn"`
	Runtime      string    `json:"runtime"`
	CodeSHA256   string    `json:"code_sha256"`
	LastModified time.Time `json:"last_modified"`
}

type mappingDump struct {
	UUID                 string `json:"uuid"`
	StreamARN            string `json:"stream_arn"`
	FunctionARN          string `json:"function_arn"`
	State                string `json:"state"`
	LastProcessingResult string `json:"last_processing_result"`
	// Checkpoints are by shard: everything up to and including the sequence number is done.
	Checkpoints map[string]string `json:"checkpoints"`
}

// dump tells of everything that flows: of one region with ?region=, or of all.
func (s *Stack) dump(r *http.Request) (any, error) {
	names := s.regionNames()
	if region := r.URL.Query().Get("region"); region != "" {
		names = []string{region}
	}
	all := make(map[string]regionDump, len(names))
	for _, name := range names {
		region, err := s.usedRegion(name)
		if err != nil {
			return nil, err
		}
		all[name] = region.dump()
	}
	resources := []string{} // of no region
	for _, role := range s.roles.Load().List() {
		resources = append(resources, role.ARN)
	}
	for _, bucket := range s.objects.Buckets() {
		resources = append(resources, bucket.ARN())
	}
	return map[string]any{"now": s.opts.Clock.Now(), "resources": resources, "regions": all}, nil
}

func (r *regional) dump() regionDump {
	d := regionDump{Tables: []tableDump{}, Streams: []streamDump{}, Functions: []functionDump{}, Mappings: []mappingDump{}}
	const page = 100
	for after := ""; ; {
		names, last := r.engine.ListTables(after, page)
		for _, name := range names {
			if t, err := r.engine.DescribeTable(name); err == nil { // else it was deleted meanwhile
				d.Tables = append(d.Tables, dumpTable(t))
			}
		}
		if after = last; after == "" {
			break
		}
	}
	for _, stream := range r.registry.List("") {
		d.Streams = append(d.Streams, dumpStream(stream))
	}
	for _, f := range r.functions.List() {
		d.Functions = append(d.Functions, dumpFunction(f))
	}
	for _, m := range r.mappings.List() {
		checkpoints, err := r.mappings.Checkpoints(m.UUID)
		if err != nil { // it was deleted meanwhile
			continue
		}
		d.Mappings = append(d.Mappings, mappingDump{m.UUID, m.StreamARN, m.FunctionARN, m.State, m.LastProcessingResult, checkpoints})
	}
	d.Resources = r.resources()
	return d
}

// resources are the sorted ARNs of what is neither a table nor a function. A key or a secret whose deletion is scheduled is gone.
func (r *regional) resources() []string {
	all := append([]string{}, r.topics.ARNs()...) // an empty list where there is nothing
	for _, name := range r.queues.Names("") {
		if queue, err := r.queues.Get(name); err == nil { // else it was deleted meanwhile
			all = append(all, queue.ARN)
		}
	}
	for _, g := range r.groups.Groups() {
		all = append(all, g.ARN)
	}
	for _, a := range r.alarms.All() {
		all = append(all, r.alarms.ARN(a.Name))
	}
	for _, k := range r.keys.List() {
		if !k.Managed && k.State != keys.StatePendingDeletion {
			all = append(all, k.ARN)
		}
	}
	for _, p := range r.parameters.List() {
		all = append(all, p.ARN)
	}
	for _, secret := range r.secrets.List() {
		if secret.Deleted.IsZero() {
			all = append(all, secret.ARN)
		}
	}
	for _, target := range r.scaling.Targets() {
		all = append(all, target.ARN)
	}
	slices.Sort(all)
	return all
}

func dumpTable(t engine.Description) tableDump {
	d := tableDump{Name: t.Name, ARN: t.ARN, Items: t.Items, Bytes: t.Bytes}
	if t.View != "" {
		d.StreamARN = t.StreamARN
	}
	return d
}

func dumpStream(stream *streams.Stream) streamDump {
	about := stream.Describe()
	d := streamDump{ARN: about.ARN, Table: about.Table.Name, Status: string(about.Status), View: about.Table.View, Records: stream.Len(), Shards: []shardDump{}}
	for _, sh := range about.Shards {
		d.Shards = append(d.Shards, shardDump{sh.ID, sh.ParentID, sh.Closed, sh.First, sh.Last})
	}
	return d
}

func dumpFunction(f host.Function) functionDump {
	return functionDump{f.Name, f.ARN, f.Runtime, f.CodeSHA256, f.LastModified}
}

package dynamodb

import (
	"fmt"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

// globalTableVersion is that of global tables whose replicas UpdateTable makes.
const globalTableVersion = "2019.11.21"

// The consistencies of a global table.
const (
	strong   = "STRONG"
	eventual = "EVENTUAL"
)

type replicaUpdate struct {
	Create, Update *replicaMember
	Delete         *struct{ RegionName string }
}

type replicaMember struct {
	RegionName         string
	KMSMasterKeyId     string
	TableClassOverride string
}

type replicaDescription struct {
	KMSMasterKeyId           string `json:",omitempty"`
	RegionName               string
	ReplicaStatus            string
	ReplicaTableClassSummary *tableClassSummary `json:",omitempty"`
}

func (d *tableDescription) describeReplicas(g engine.Global) {
	if len(g.Replicas) == 0 {
		return
	}
	d.GlobalTableVersion, d.MultiRegionConsistency = globalTableVersion, eventual
	if g.Strong {
		d.MultiRegionConsistency = strong
	}
	for _, r := range g.Replicas {
		out := replicaDescription{KMSMasterKeyId: r.Key, RegionName: r.Region, ReplicaStatus: statusActive}
		if r.Class != "" {
			out.ReplicaTableClassSummary = &tableClassSummary{TableClass: r.Class}
		}
		d.Replicas = append(d.Replicas, out)
	}
}

func (in *updateTableInput) replicaConstraints() []constraint {
	all := []constraint{oneOf("multiRegionConsistency", in.MultiRegionConsistency, eventual, strong)}
	for i, u := range in.ReplicaUpdates {
		at := fmt.Sprintf("replicaUpdates.%d.member.", i+1)
		if u.Create != nil {
			all = append(all, u.Create.constraints(at+"create.")...)
		}
		if u.Update != nil {
			all = append(all, u.Update.constraints(at+"update.")...)
		}
		if u.Delete != nil {
			all = append(all, required(at+"delete.regionName", u.Delete.RegionName != ""))
		}
	}
	return all
}

func (m replicaMember) constraints(at string) []constraint {
	return []constraint{
		required(at+"regionName", m.RegionName != ""),
		oneOf(at+"tableClassOverride", m.TableClassOverride, tableClassNames()...),
	}
}

func (in *updateTableInput) checkReplicas() error {
	if in.changesTable() {
		return wire.NotEmulated("ReplicaUpdates of UpdateTable together with other changes")
	}
	for _, u := range in.ReplicaUpdates {
		given := 0
		for _, there := range []bool{u.Create != nil, u.Update != nil, u.Delete != nil} {
			if there {
				given++
			}
		}
		if given != 1 {
			return invalidParameters("One of ReplicationGroupUpdate.Create, ReplicationGroupUpdate.Update, ReplicationGroupUpdate.Delete must be given")
		}
		if u.Update != nil && u.Update.KMSMasterKeyId == "" && u.Update.TableClassOverride == "" {
			return wire.Errorf("ValidationException", "Update Replication Group Member Action of replica %s has no actions specified", u.Update.RegionName)
		}
	}
	return nil
}

func (s service) updateReplicas(in *updateTableInput) (*tableOutput, error) {
	update := engine.UpdateReplicas{Table: in.TableName, Strong: in.MultiRegionConsistency == strong}
	passing := map[string]string{}
	for _, u := range in.ReplicaUpdates {
		switch {
		case u.Create != nil:
			update.Create = append(update.Create, u.Create.replica())
			passing[u.Create.RegionName] = statusCreating
		case u.Update != nil:
			update.Update = append(update.Update, u.Update.replica())
			passing[u.Update.RegionName] = statusUpdating
		default:
			update.Delete = append(update.Delete, u.Delete.RegionName)
		}
	}
	d, err := s.engine.UpdateReplicas(update)
	if err != nil {
		return nil, err
	}
	out := describe(d).passing(statusUpdating)
	for i, r := range out.Replicas {
		if status := passing[r.RegionName]; status != "" {
			out.Replicas[i].ReplicaStatus = status
		}
	}
	return &tableOutput{TableDescription: out}, nil
}

func (m replicaMember) replica() engine.Replica {
	return engine.Replica{Region: m.RegionName, Key: m.KMSMasterKeyId, Class: m.TableClassOverride}
}

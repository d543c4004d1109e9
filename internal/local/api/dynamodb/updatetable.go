package dynamodb

import (
	"fmt"
	"slices"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type updateTableInput struct {
	capacityInput
	TableName                   string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string
	DeletionProtectionEnabled   *bool
	GlobalSecondaryIndexUpdates []globalSecondaryIndexUpdate
	StreamSpecification         *streamSpecification
	SSESpecification            *sseSpecification
	TableClass                  string
	ReplicaUpdates              []replicaUpdate
	MultiRegionConsistency      string
}

type globalSecondaryIndexUpdate struct {
	Create *globalIndex
	Update *indexUpdate
	Delete *struct{ IndexName string }
}

type indexUpdate struct {
	capacityInput
	IndexName string
}

// name is that of the index, which one of the three has.
func (u globalSecondaryIndexUpdate) name() string {
	switch {
	case u.Update != nil:
		return u.Update.IndexName
	case u.Create != nil:
		return u.Create.IndexName
	default:
		return u.Delete.IndexName
	}
}

func (s service) updateTable(in *updateTableInput) (*tableOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if len(in.ReplicaUpdates) > 0 {
		return s.updateReplicas(in)
	}
	update, err := in.update()
	if err != nil {
		return nil, err
	}
	d, err := s.engine.UpdateTable(update)
	if err != nil {
		return nil, err
	}
	out := describe(d).passing(statusUpdating)
	for i := range out.GlobalSecondaryIndexes {
		ix := &out.GlobalSecondaryIndexes[i]
		for _, change := range in.GlobalSecondaryIndexUpdates {
			switch {
			case change.name() != ix.IndexName:
			case change.Create != nil:
				ix.IndexStatus = statusCreating
			default:
				ix.IndexStatus = statusUpdating
			}
		}
	}
	return &tableOutput{TableDescription: out}, nil
}

func (in *updateTableInput) check() error {
	constraints := append([]constraint{billingModes(in.BillingMode), tableClasses(in.TableClass)}, in.constraints("")...)
	constraints = append(constraints, definitionConstraints(in.AttributeDefinitions)...)
	constraints = append(constraints, in.replicaConstraints()...)
	for i, u := range in.GlobalSecondaryIndexUpdates {
		at := fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.", i+1)
		if u.Update != nil {
			constraints = append(constraints, named(at+"update.indexName", u.Update.IndexName)...)
			constraints = append(constraints, u.Update.constraints(at+"update.")...)
		}
		if u.Create != nil {
			constraints = append(constraints, globalConstraints(at+"create", *u.Create)...)
		}
		if u.Delete != nil {
			constraints = append(constraints, named(at+"delete.indexName", u.Delete.IndexName)...)
		}
	}
	if err := checkTable(in.TableName, constraints...); err != nil {
		return err
	}
	changes := len(in.ReplicaUpdates) > 0 || in.changesTable()
	switch {
	case !changes:
		return wire.Errorf("ValidationException", "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	case in.BillingMode == provisioned && in.ProvisionedThroughput == nil:
		return invalidParameters("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	case in.MultiRegionConsistency != "" && !slices.ContainsFunc(in.ReplicaUpdates, func(u replicaUpdate) bool { return u.Create != nil }):
		return invalidParameters("MultiRegionConsistency can only be specified when replicas are created")
	case len(in.ReplicaUpdates) > 0:
		return in.checkReplicas()
	default:
		return in.checkIndexes()
	}
}

// changesTable says whether the request changes anything but replicas.
func (in *updateTableInput) changesTable() bool {
	return in.BillingMode != "" || in.DeletionProtectionEnabled != nil || len(in.GlobalSecondaryIndexUpdates) > 0 || in.StreamSpecification != nil ||
		in.SSESpecification != nil || in.TableClass != "" || in.ProvisionedThroughput != nil || in.OnDemandThroughput != nil || in.WarmThroughput != nil
}

// checkIndexes wants one change of an index each.
func (in *updateTableInput) checkIndexes() error {
	seen := map[string]bool{}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		given := 0
		for _, there := range []bool{u.Update != nil, u.Create != nil, u.Delete != nil} {
			if there {
				given++
			}
		}
		switch {
		case given == 0:
			return invalidParameters("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		case u.Update != nil && u.Update.capacityInput == (capacityInput{}):
			return invalidParameters("GlobalSecondaryIndexUpdate.Update of index %s changes nothing", u.Update.IndexName)
		case given > 1:
			return invalidParameters("Only one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete may be given")
		case seen[u.name()]:
			return invalidParameters("Only one global secondary index update per index is allowed simultaneously. Index: %s", u.name())
		}
		seen[u.name()] = true
	}
	return nil
}

func (in *updateTableInput) update() (u engine.UpdateTable, err error) {
	u = engine.UpdateTable{Name: in.TableName, Attributes: definitions(in.AttributeDefinitions), Class: in.TableClass, DeletionProtection: in.DeletionProtectionEnabled}
	if in.BillingMode != "" {
		onDemand := in.BillingMode == payPerRequest
		u.OnDemand = &onDemand
	}
	if u.Capacity, err = in.change(); err != nil {
		return u, err
	}
	if u.Encryption, err = in.SSESpecification.encryption(); err != nil {
		return u, err
	}
	if in.StreamSpecification != nil {
		view, err := in.StreamSpecification.view()
		if err != nil {
			return u, err
		}
		u.View = &view
	}
	return u, in.updateIndexes(&u)
}

// updateIndexes takes the changes of indexes over: one made or deleted at most, and any number of capacities.
func (in *updateTableInput) updateIndexes(u *engine.UpdateTable) error {
	online := 0
	for _, change := range in.GlobalSecondaryIndexUpdates {
		switch {
		case change.Create != nil:
			capacity, err := change.Create.change()
			if err != nil {
				return err
			}
			ix := change.Create.index()
			u.CreateIndex, u.CreateCapacity = &ix, capacity
			online++
		case change.Delete != nil:
			u.DeleteIndex = change.Delete.IndexName
			online++
		default:
			capacity, err := change.Update.change()
			if err != nil {
				return err
			}
			u.IndexCapacities = append(u.IndexCapacities, engine.IndexCapacity{Name: change.Update.IndexName, CapacityChange: capacity})
		}
	}
	if online > 1 {
		return wire.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

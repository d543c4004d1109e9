package dynamodb

import (
	"fmt"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type updateTableInput struct {
	TableName                   string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string
	DeletionProtectionEnabled   *bool
	GlobalSecondaryIndexUpdates []globalSecondaryIndexUpdate
	StreamSpecification         *streamSpecification
}

type globalSecondaryIndexUpdate struct {
	Create *secondaryIndex
	Delete *struct{ IndexName string }
}

func (s service) updateTable(in *updateTableInput) (*tableOutput, error) {
	constraints := append([]constraint{
		tableName(in.TableName),
		oneOf("billingMode", in.BillingMode, "PROVISIONED", payPerRequest),
	}, definitionConstraints(in.AttributeDefinitions)...)
	for i, u := range in.GlobalSecondaryIndexUpdates {
		at := fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.", i+1)
		if u.Create != nil {
			constraints = append(constraints, indexConstraints(at+"create", *u.Create)...)
		}
		if u.Delete != nil {
			constraints = append(constraints, resourceName(at+"delete.indexName", u.Delete.IndexName))
		}
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	if in.BillingMode != "" && in.BillingMode != payPerRequest {
		return nil, wire.NotEmulated("BillingMode PROVISIONED of UpdateTable")
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
		if ix := &out.GlobalSecondaryIndexes[i]; update.CreateIndex != nil && ix.IndexName == update.CreateIndex.Name {
			ix.IndexStatus = statusCreating
		}
	}
	return &tableOutput{TableDescription: out}, nil
}

func (in *updateTableInput) update() (engine.UpdateTable, error) {
	u := engine.UpdateTable{Name: in.TableName, Attributes: definitions(in.AttributeDefinitions), DeletionProtection: in.DeletionProtectionEnabled}
	if in.BillingMode == "" && in.DeletionProtectionEnabled == nil && len(in.GlobalSecondaryIndexUpdates) == 0 && in.StreamSpecification == nil {
		return u, wire.Errorf("ValidationException", "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if in.StreamSpecification != nil {
		view, err := in.StreamSpecification.view()
		if err != nil {
			return u, err
		}
		u.View = &view
	}
	if len(in.GlobalSecondaryIndexUpdates) > 1 {
		return u, wire.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	for _, change := range in.GlobalSecondaryIndexUpdates {
		switch {
		case change.Create != nil && change.Delete != nil:
			return u, wire.Errorf("ValidationException", "One or more parameter values were invalid: Only one of GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete may be given")
		case change.Create != nil:
			ix := change.Create.index()
			u.CreateIndex = &ix
		case change.Delete != nil:
			u.DeleteIndex = change.Delete.IndexName
		default:
			return u, wire.Errorf("ValidationException", "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
	}
	return u, nil
}

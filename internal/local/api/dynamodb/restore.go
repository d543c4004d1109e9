package dynamodb

import (
	"fmt"
	"slices"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type backupDetails struct {
	BackupArn              string
	BackupCreationDateTime wire.EpochSeconds
	BackupName             string
	BackupSizeBytes        int
	BackupStatus           string
	BackupType             string
}

type backupSummary struct {
	backupDetails
	TableArn  string
	TableId   string
	TableName string
}

type backupDescription struct {
	BackupDetails             backupDetails
	SourceTableDetails        sourceTable
	SourceTableFeatureDetails sourceFeatures
}

// capacityOutput is a capacity as backups tell of it.
type capacityOutput struct {
	OnDemandThroughput    *onDemandThroughput `json:",omitempty"`
	ProvisionedThroughput *provisionedThroughput
}

type sourceTable struct {
	capacityOutput
	BillingMode           string
	ItemCount             int
	KeySchema             []keySchemaElement
	TableArn              string
	TableCreationDateTime wire.EpochSeconds
	TableId               string
	TableName             string
	TableSizeBytes        int
}

type sourceIndex struct {
	IndexName  string
	KeySchema  []keySchemaElement
	Projection projection
}

type sourceGlobalIndex struct {
	sourceIndex
	capacityOutput
}

type sourceFeatures struct {
	GlobalSecondaryIndexes []sourceGlobalIndex    `json:",omitempty"`
	LocalSecondaryIndexes  []sourceIndex          `json:",omitempty"`
	SSEDescription         *sseDescription        `json:",omitempty"`
	StreamDescription      *streamSpecification   `json:",omitempty"`
	TimeToLiveDescription  *timeToLiveDescription `json:",omitempty"`
}

func detailsOf(b engine.Backup) backupDetails {
	return backupDetails{
		BackupArn: b.ARN, BackupCreationDateTime: wire.EpochSeconds(b.Created), BackupName: b.Name, BackupSizeBytes: b.Table.Bytes,
		BackupStatus: "AVAILABLE", BackupType: "USER",
	}
}

func describeBackup(b engine.Backup) backupDescription {
	source, settings := describe(b.Table), b.Table.Settings
	out := backupDescription{
		BackupDetails: detailsOf(b),
		SourceTableDetails: sourceTable{
			capacityOutput: outputOf(settings.Capacity), BillingMode: billingMode(settings), ItemCount: source.ItemCount, KeySchema: source.KeySchema,
			TableArn: source.TableArn, TableCreationDateTime: source.CreationDateTime, TableId: source.TableId, TableName: source.TableName,
			TableSizeBytes: source.TableSizeBytes,
		},
		SourceTableFeatureDetails: sourceFeatures{SSEDescription: source.SSEDescription, StreamDescription: source.StreamSpecification},
	}
	features := &out.SourceTableFeatureDetails
	for _, ix := range source.GlobalSecondaryIndexes {
		features.GlobalSecondaryIndexes = append(features.GlobalSecondaryIndexes, sourceGlobalIndex{
			sourceIndex: ix.source(), capacityOutput: outputOf(settings.Indexes[ix.IndexName]),
		})
	}
	for _, ix := range source.LocalSecondaryIndexes {
		features.LocalSecondaryIndexes = append(features.LocalSecondaryIndexes, ix.source())
	}
	if settings.TimeToLive != "" {
		features.TimeToLiveDescription = &timeToLiveDescription{AttributeName: settings.TimeToLive, TimeToLiveStatus: "ENABLED"}
	}
	return out
}

func (ix localIndexDescription) source() sourceIndex {
	return sourceIndex{IndexName: ix.IndexName, KeySchema: ix.KeySchema, Projection: ix.Projection}
}

func outputOf(c engine.Capacity) capacityOutput {
	return capacityOutput{
		OnDemandThroughput:    describeMost(c.Most),
		ProvisionedThroughput: &provisionedThroughput{ReadCapacityUnits: &c.Provisioned.Read, WriteCapacityUnits: &c.Provisioned.Write},
	}
}

type createBackupInput struct{ TableName, BackupName string }

type createBackupOutput struct{ BackupDetails backupDetails }

func (s service) createBackup(in *createBackupInput) (*createBackupOutput, error) {
	if err := checkTable(in.TableName, named("backupName", in.BackupName)...); err != nil {
		return nil, err
	}
	b, err := s.engine.CreateBackup(in.TableName, in.BackupName)
	if err != nil {
		return nil, err
	}
	details := detailsOf(b)
	details.BackupStatus = "CREATING" // as AWS answers; it is there when asked for
	return &createBackupOutput{BackupDetails: details}, nil
}

type backupInput struct{ BackupArn string }

func (in *backupInput) check() error {
	return check(required("backupArn", in.BackupArn != ""), length("backupArn", in.BackupArn, len(in.BackupArn), 37, 1024))
}

type backupOutput struct{ BackupDescription backupDescription }

func (s service) describeBackup(in *backupInput) (*backupOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	b, err := s.engine.DescribeBackup(in.BackupArn)
	if err != nil {
		return nil, err
	}
	return &backupOutput{BackupDescription: describeBackup(b)}, nil
}

func (s service) deleteBackup(in *backupInput) (*backupOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	b, err := s.engine.DeleteBackup(in.BackupArn)
	if err != nil {
		return nil, err
	}
	out := &backupOutput{BackupDescription: describeBackup(b)}
	out.BackupDescription.BackupDetails.BackupStatus = "DELETED"
	return out, nil
}

type listBackupsInput struct {
	TableName               string
	BackupType              string
	ExclusiveStartBackupArn string
	Limit                   *int
	TimeRangeLowerBound     *float64 // seconds since 1970
	TimeRangeUpperBound     *float64 // this one excluded
}

type listBackupsOutput struct {
	BackupSummaries        []backupSummary
	LastEvaluatedBackupArn string `json:",omitempty"`
}

func (s service) listBackups(in *listBackupsInput) (*listBackupsOutput, error) {
	const most = 100
	constraints := []constraint{between("limit", in.Limit, 1, most), oneOf("backupType", in.BackupType, "USER", "SYSTEM", "AWS_BACKUP", "ALL")}
	if in.TableName != "" {
		constraints = append(constraints, tableName(in.TableName))
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	limit := most
	if in.Limit != nil {
		limit = *in.Limit
	}
	all := s.engine.ListBackups(in.TableName)
	if in.ExclusiveStartBackupArn != "" {
		last := slices.IndexFunc(all, func(b engine.Backup) bool { return b.ARN == in.ExclusiveStartBackupArn })
		if last < 0 {
			return nil, invalidParameters("ExclusiveStartBackupArn is no backup's: %s", in.ExclusiveStartBackupArn)
		}
		all = all[last+1:]
	}
	all = slices.DeleteFunc(all, func(b engine.Backup) bool { return !in.wants(b) })
	out := &listBackupsOutput{BackupSummaries: []backupSummary{}}
	if len(all) > limit {
		all = all[:limit]
		out.LastEvaluatedBackupArn = all[limit-1].ARN
	}
	for _, b := range all {
		out.BackupSummaries = append(out.BackupSummaries, backupSummary{backupDetails: detailsOf(b), TableArn: b.Table.ARN, TableId: tableID(b.Table), TableName: b.Table.Name})
	}
	return out, nil
}

// wants says whether a backup, of which all are a user's, is asked for.
func (in *listBackupsInput) wants(b engine.Backup) bool {
	at := float64(b.Created.UnixMilli()) / 1000
	switch {
	case in.BackupType == "SYSTEM" || in.BackupType == "AWS_BACKUP":
		return false
	case in.TimeRangeLowerBound != nil && at < *in.TimeRangeLowerBound, in.TimeRangeUpperBound != nil && at >= *in.TimeRangeUpperBound:
		return false
	default:
		return true
	}
}

type restoreTableFromBackupInput struct {
	BackupArn                     string
	TargetTableName               string
	BillingModeOverride           string
	GlobalSecondaryIndexOverride  *[]globalIndex
	LocalSecondaryIndexOverride   *[]secondaryIndex
	OnDemandThroughputOverride    *onDemandThroughput
	ProvisionedThroughputOverride *provisionedThroughput
	SSESpecificationOverride      *sseSpecification
}

func (s service) restoreTableFromBackup(in *restoreTableFromBackupInput) (*tableOutput, error) {
	capacity := capacityInput{ProvisionedThroughput: in.ProvisionedThroughputOverride, OnDemandThroughput: in.OnDemandThroughputOverride}
	constraints := append([]constraint{
		required("backupArn", in.BackupArn != ""),
		resourceName("targetTableName", in.TargetTableName),
		oneOf("billingModeOverride", in.BillingModeOverride, provisioned, payPerRequest),
	}, capacity.constraints("")...)
	if err := check(constraints...); err != nil {
		return nil, err
	}
	b, err := s.engine.DescribeBackup(in.BackupArn)
	if err != nil {
		return nil, err
	}
	r := engine.Restore{Backup: in.BackupArn, Name: in.TargetTableName}
	if r.Capacity, err = capacity.change(); err != nil {
		return nil, err
	}
	if r.Encryption, err = in.SSESpecificationOverride.encryption(); err != nil {
		return nil, err
	}
	if in.BillingModeOverride != "" {
		onDemand := in.BillingModeOverride == payPerRequest
		r.OnDemand = &onDemand
	}
	if err := in.indexes(b, &r); err != nil {
		return nil, err
	}
	d, err := s.engine.RestoreTable(r)
	if err != nil {
		return nil, err
	}
	out := describe(d).passing(statusCreating)
	out.RestoreSummary.RestoreInProgress = true
	return &tableOutput{TableDescription: out}, nil
}

// indexes takes over which of the backup's indexes the table is to have: those that an override names, or all of the kind.
func (in *restoreTableFromBackupInput) indexes(b engine.Backup, r *engine.Restore) error {
	kept := map[string]bool{}
	want := func(ix secondaryIndex, local bool) error {
		if !slices.ContainsFunc(b.Table.Indexes, func(of engine.IndexDescription) bool { return of.Name == ix.IndexName && of.Local == local }) {
			return invalidParameters("The backup has no index %s", ix.IndexName)
		}
		kept[ix.IndexName] = true
		return nil
	}
	if in.LocalSecondaryIndexOverride != nil {
		for _, ix := range *in.LocalSecondaryIndexOverride {
			if err := want(ix, true); err != nil {
				return err
			}
		}
	}
	if in.GlobalSecondaryIndexOverride != nil {
		for i, ix := range *in.GlobalSecondaryIndexOverride {
			if err := want(ix.secondaryIndex, false); err != nil {
				return err
			}
			if err := check(ix.constraints(fmt.Sprintf("globalSecondaryIndexOverride.%d.member.", i+1))...); err != nil {
				return err
			}
			change, err := ix.change()
			if err != nil {
				return err
			}
			r.IndexCapacities = append(r.IndexCapacities, engine.IndexCapacity{Name: ix.IndexName, CapacityChange: change})
		}
	}
	r.Keep = func(ix engine.Index) bool {
		if ix.Local {
			return in.LocalSecondaryIndexOverride == nil || kept[ix.Name]
		}
		return in.GlobalSecondaryIndexOverride == nil || kept[ix.Name]
	}
	return nil
}

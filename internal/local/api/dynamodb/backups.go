package dynamodb

import (
	"time"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type continuousBackups struct {
	ContinuousBackupsDescription continuousBackupsDescription
}

type continuousBackupsDescription struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription pointInTimeRecovery
}

type pointInTimeRecovery struct {
	PointInTimeRecoveryStatus  string
	RecoveryPeriodInDays       int                `json:",omitempty"`
	EarliestRestorableDateTime *wire.EpochSeconds `json:",omitempty"`
	LatestRestorableDateTime   *wire.EpochSeconds `json:",omitempty"`
}

// maxRecoveryDays is the longest, and the usual, time that point-in-time recovery reaches back.
const maxRecoveryDays = 35

func describeRecovery(r engine.Recovery) *continuousBackups {
	out := &continuousBackups{ContinuousBackupsDescription: continuousBackupsDescription{
		ContinuousBackupsStatus:        "ENABLED", // of every table
		PointInTimeRecoveryDescription: pointInTimeRecovery{PointInTimeRecoveryStatus: "DISABLED"},
	}}
	if r.Enabled {
		since := wire.EpochSeconds(r.Since.Truncate(time.Second))
		out.ContinuousBackupsDescription.PointInTimeRecoveryDescription = pointInTimeRecovery{
			PointInTimeRecoveryStatus: "ENABLED", RecoveryPeriodInDays: r.Days,
			EarliestRestorableDateTime: &since, LatestRestorableDateTime: &since,
		}
	}
	return out
}

func (s service) describeContinuousBackups(in *tableInput) (*continuousBackups, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	r, err := s.engine.PointInTimeRecovery(in.TableName)
	if err != nil {
		return nil, err
	}
	return describeRecovery(r), nil
}

type updateContinuousBackupsInput struct {
	TableName                        string
	PointInTimeRecoverySpecification *struct {
		PointInTimeRecoveryEnabled *bool
		RecoveryPeriodInDays       *int
	}
}

func (s service) updateContinuousBackups(in *updateContinuousBackupsInput) (*continuousBackups, error) {
	spec := in.PointInTimeRecoverySpecification
	constraints := []constraint{required("pointInTimeRecoverySpecification", spec != nil)}
	if spec != nil {
		constraints = append(constraints,
			required("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled", spec.PointInTimeRecoveryEnabled != nil),
			between("pointInTimeRecoverySpecification.recoveryPeriodInDays", spec.RecoveryPeriodInDays, 1, maxRecoveryDays))
	}
	if err := checkTable(in.TableName, constraints...); err != nil {
		return nil, err
	}
	if !*spec.PointInTimeRecoveryEnabled && spec.RecoveryPeriodInDays != nil {
		return nil, wire.NotEmulated("RecoveryPeriodInDays of UpdateContinuousBackups while point-in-time recovery is off")
	}
	days := maxRecoveryDays
	if spec.RecoveryPeriodInDays != nil {
		days = *spec.RecoveryPeriodInDays
	}
	r, err := s.engine.SetPointInTimeRecovery(in.TableName, *spec.PointInTimeRecoveryEnabled, days)
	if err != nil {
		return nil, err
	}
	return describeRecovery(r), nil
}

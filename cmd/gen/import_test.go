package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCreateTable makes a table through the AWS SDK, as somebody without gen would.
func cmdCreateTable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: createtable FILE")
	}
	var in struct {
		Table        dynamodb.CreateTableInput
		TTL          string
		RecoveryDays int32
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &in))
	db, ctx := client(ts), context.Background()
	_, err := db.CreateTable(ctx, &in.Table)
	ts.Check(err)
	if in.TTL != "" {
		_, err := db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: in.Table.TableName, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &in.TTL, Enabled: aws.Bool(true)},
		})
		ts.Check(err)
	}
	if in.RecoveryDays != 0 {
		_, err := db.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName: in.Table.TableName,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{
				PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: &in.RecoveryDays,
			},
		})
		ts.Check(err)
	}
}

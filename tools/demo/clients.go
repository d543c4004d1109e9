package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// clients are the AWS SDK's, unmodified, pointed at the stack.
type clients struct {
	dynamodb *dynamodb.Client
	lambda   *lambda.Client
	logs     *cloudwatchlogs.Client
	iam      *iam.Client
}

func newClients(endpoint string) clients {
	cfg := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("streamgen", "streamgen", ""),
	}
	return clients{
		dynamodb: dynamodb.NewFromConfig(cfg),
		lambda:   lambda.NewFromConfig(cfg),
		logs:     cloudwatchlogs.NewFromConfig(cfg),
		iam:      iam.NewFromConfig(cfg),
	}
}

// writeItem puts an item, changes it and deletes it.
func (c clients) writeItem(ctx context.Context) error {
	key := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "101"}}
	_, err := c.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: map[string]types.AttributeValue{
		"Id":      key["Id"],
		"Message": &types.AttributeValueMemberS{Value: "New item!"},
	}})
	if err != nil {
		return fmt.Errorf("writing the item: %w", err)
	}
	_, err = c.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(table), Key: key,
		UpdateExpression:          aws.String("SET Message = :m"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":m": &types.AttributeValueMemberS{Value: "This item has changed"}},
	})
	if err != nil {
		return fmt.Errorf("changing the item: %w", err)
	}
	_, err = c.dynamodb.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: key})
	if err != nil {
		return fmt.Errorf("deleting the item: %w", err)
	}
	return nil
}

// recordsInLogGroup counts the records that the function's log group holds.
func (c clients) recordsInLogGroup(ctx context.Context) (int, error) {
	n := 0
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(c.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + function)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("reading the log group: %w", err)
		}
		for _, e := range page.Events {
			if strings.Contains(aws.ToString(e.Message), `"eventID"`) {
				n++
			}
		}
	}
	return n, nil
}

// left names everything that the stack still holds.
func (c clients) left(ctx context.Context) ([]string, error) {
	var left []string
	tables, err := c.dynamodb.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, err
	}
	for _, name := range tables.TableNames {
		left = append(left, "table "+name)
	}
	functions, err := c.lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return nil, err
	}
	for _, f := range functions.Functions {
		left = append(left, "function "+aws.ToString(f.FunctionName))
	}
	mappings, err := c.lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		return nil, err
	}
	for _, m := range mappings.EventSourceMappings {
		left = append(left, "event source mapping "+aws.ToString(m.UUID))
	}
	groups, err := c.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		return nil, err
	}
	for _, g := range groups.LogGroups {
		left = append(left, "log group "+aws.ToString(g.LogGroupName))
	}
	var gone *iamtypes.NoSuchEntityException
	if _, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(function)}); err == nil {
		left = append(left, "role "+function)
	} else if !errors.As(err, &gone) {
		return nil, err
	}
	return left, nil
}

package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/local"
	"streamgen/internal/report"
)

// aws leads the AWS SDK to where the environment is: to the local stack, or to AWS as the ambient settings and the options say, in
// the spec's region.
func (e environment) aws(ctx context.Context, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	if e.local() {
		return aws.Config{
			Region: e.settings.Region, BaseEndpoint: aws.String(e.endpoint), HTTPClient: local.Client(), // the stack may be in this process
			Credentials: credentials.NewStaticCredentialsProvider("streamgen", "streamgen", ""),
		}, nil
	}
	c, err := config.LoadDefaultConfig(ctx, append(options, config.WithRegion(e.settings.Region))...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS settings: %w", err)
	}
	return c, nil
}

// tablesOf are the tables that a plan deletes, with how much is in them.
func (s *session) tablesOf(ctx context.Context, p judgedPlan) ([]report.Table, error) {
	if p.shown == nil {
		return nil, nil
	}
	settings, err := s.env.aws(ctx)
	if err != nil {
		return nil, err
	}
	db := dynamodb.NewFromConfig(settings)
	var tables []report.Table
	for _, c := range p.shown.ResourceChanges {
		if c.Type != "aws_dynamodb_table" || c.Change == nil || !slices.Contains(c.Change.Actions, tfjson.ActionDelete) {
			continue
		}
		name, _ := attributes(c.Change.Before)["name"].(string)
		t := report.Table{Name: name, Items: -1}
		if got, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name}); err == nil {
			t.Items, t.Bytes = aws.ToInt64(got.Table.ItemCount), aws.ToInt64(got.Table.TableSizeBytes)
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		tables = append(tables, t)
	}
	return tables, nil
}

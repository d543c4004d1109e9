package main

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdDrop deletes a table as somebody in the console would.
func cmdDrop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: drop TABLE")
	}
	_, err := client(ts).DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: aws.String(args[0])})
	ts.Check(err)
}

// cmdBatchSize changes the batch size of a function's only mapping as somebody in the console would.
func cmdBatchSize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: batchsize FUNCTION N")
	}
	n, err := strconv.ParseInt(args[1], 10, 32)
	ts.Check(err)
	functions := lambda.NewFromConfig(stackConfig(ts.Getenv("ENDPOINT"), "us-east-1"))
	out, err := functions.ListEventSourceMappings(context.Background(), &lambda.ListEventSourceMappingsInput{FunctionName: aws.String(args[0])})
	ts.Check(err)
	if len(out.EventSourceMappings) != 1 {
		ts.Fatalf("%s has %d mappings, want one", args[0], len(out.EventSourceMappings))
	}
	_, err = functions.UpdateEventSourceMapping(context.Background(), &lambda.UpdateEventSourceMappingInput{
		UUID: out.EventSourceMappings[0].UUID, BatchSize: aws.Int32(int32(n)),
	})
	ts.Check(err)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/internal/fileplan"
	"streamgen/internal/local"
	"streamgen/internal/spec"
)

// localFunctions run packages of handlers in a stack of their own, in this process.
type localFunctions struct {
	place    place
	stack    *local.Stack
	settings aws.Config
	role     string
}

// startFunctions starts a stack that has the tables that a handler uses, empty, and the queue that it parks in. What its code asks of
// AWS reaches that stack and nothing else.
func (p place) startFunctions(ctx context.Context, h spec.Handler) (*localFunctions, error) {
	stack, err := local.Start(ctx, local.Options{Listen: "127.0.0.1:0", Region: p.env.settings.Region})
	if err != nil {
		return nil, err
	}
	l := &localFunctions{place: p, stack: stack, settings: aws.Config{
		Region: p.env.settings.Region, BaseEndpoint: aws.String(stack.Endpoint()), HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("streamgen", "streamgen", ""),
	}}
	if err := l.prepare(ctx, h); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *localFunctions) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return l.stack.Close(ctx)
}

func (l *localFunctions) prepare(ctx context.Context, h spec.Handler) error {
	const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`
	roles, name := iam.NewFromConfig(l.settings), aws.String("handler")
	made, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		return err
	}
	l.role = aws.ToString(made.Role.Arn)
	if _, err := roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: name, PolicyDocument: aws.String(everything)}); err != nil {
		return err
	}
	for _, used := range h.Uses() {
		t, err := l.place.table(used)
		if err != nil || t.HashKey == "" { // of one that is known by its stream alone, nobody knows the key
			continue
		}
		if err := l.createTable(ctx, t); err != nil {
			return err
		}
	}
	if h.Idempotency {
		if err := l.createTable(ctx, spec.Table{TableName: h.FunctionName + spec.IdempotencySuffix, HashKey: "id", Attributes: []spec.Attribute{{Name: "id", Type: spec.String}}}); err != nil {
			return err
		}
	}
	if h.ParkingQueue.Enabled {
		queue := l.place.plainFunction(h) + spec.ParkingSuffix
		if _, err := sqs.NewFromConfig(l.settings).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &queue}); err != nil {
			return err
		}
	}
	return nil
}

// createTable makes a table with its keys and its global indexes.
func (l *localFunctions) createTable(ctx context.Context, t spec.Table) error {
	in := &dynamodb.CreateTableInput{TableName: aws.String(l.place.tableName(t)), BillingMode: ddbtypes.BillingModePayPerRequest}
	var used []string
	schema := func(hash, ranges []string) []ddbtypes.KeySchemaElement {
		var list []ddbtypes.KeySchemaElement
		for kind, names := range map[ddbtypes.KeyType][]string{ddbtypes.KeyTypeHash: hash, ddbtypes.KeyTypeRange: ranges} {
			for _, name := range names {
				if name != "" {
					list, used = append(list, ddbtypes.KeySchemaElement{AttributeName: &name, KeyType: kind}), append(used, name)
				}
			}
		}
		slices.SortStableFunc(list, func(a, b ddbtypes.KeySchemaElement) int { return strings.Compare(string(a.KeyType), string(b.KeyType)) })
		return list
	}
	in.KeySchema = schema([]string{t.HashKey}, []string{t.RangeKey})
	projection := func(kind string, attributes []string) *ddbtypes.Projection {
		return &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionType(kind), NonKeyAttributes: attributes}
	}
	for _, g := range t.GlobalSecondaryIndexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, ddbtypes.GlobalSecondaryIndex{
			IndexName: aws.String(g.Name), KeySchema: schema(g.HashKeys, g.RangeKeys), Projection: projection(g.ProjectionType, g.NonKeyAttributes),
		})
	}
	for _, i := range t.LocalSecondaryIndexes {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, ddbtypes.LocalSecondaryIndex{
			IndexName: aws.String(i.Name), KeySchema: schema([]string{t.HashKey}, []string{i.RangeKey}), Projection: projection(i.ProjectionType, i.NonKeyAttributes),
		})
	}
	slices.Sort(used)
	for _, name := range slices.Compact(used) {
		a, _ := t.Attribute(name)
		in.AttributeDefinitions = append(in.AttributeDefinitions, ddbtypes.AttributeDefinition{AttributeName: &name, AttributeType: ddbtypes.ScalarAttributeType(a.Type)})
	}
	_, err := dynamodb.NewFromConfig(l.settings).CreateTable(ctx, in)
	return err
}

// deploy makes a function of a handler's package.
func (l *localFunctions) deploy(ctx context.Context, h spec.Handler, name, zip string) (function, error) {
	code, err := os.ReadFile(zip)
	if err != nil {
		return function{}, err
	}
	f := newFunction(l.settings, name)
	_, err = f.client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &l.role, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code:    &lambdatypes.FunctionCode{ZipFile: code},
		Timeout: aws.Int32(int32(h.Timeout)), MemorySize: aws.Int32(int32(h.MemorySize)),
		Environment: &lambdatypes.Environment{Variables: l.place.variables(h)},
	})
	if err != nil {
		return function{}, fmt.Errorf("running %s here: %w", zip, err)
	}
	return f, nil
}

// variables are the environment variables of a handler that runs here: those of the spec and the names that generated code reads.
func (p place) variables(h spec.Handler) map[string]string {
	all := map[string]string{}
	for _, v := range h.Environment {
		switch region := p.env.settings.Region; {
		case v.SSMParameter != "":
			all[v.Name] = "arn:aws:ssm:" + region + ":" + local.Account + ":parameter/" + strings.TrimPrefix(v.SSMParameter, "/")
		case v.Secret != "":
			all[v.Name] = v.Secret
		default:
			all[v.Name] = v.Value
		}
	}
	for _, name := range h.Uses() {
		if t, err := p.table(name); err == nil {
			all[fileplan.TableVariable(name)] = p.tableName(t)
		}
	}
	if h.ParkingQueue.Enabled {
		all[spec.ParkingVariable] = p.plainFunction(h) + spec.ParkingSuffix
	}
	if h.Idempotency {
		all[spec.IdempotencyVariable] = p.plainFunction(h) + spec.IdempotencySuffix
	}
	return all
}

// buildHere generates and builds what is stale, for this machine, and gives the handler's package.
func (p place) buildHere(ctx context.Context, h spec.Handler) (zip string, err error) {
	whole, err := loadProject(p.project.dir, findingsText, loadOptions{})
	if err != nil {
		return "", err
	}
	story := p.std
	story.out = p.std.err
	if err := whole.generate(ctx, story, generateOptions{}); err != nil {
		return "", err
	}
	if _, err := whole.build(ctx, p.std, hostTarget()); err != nil {
		return "", err
	}
	return whole.work("packages", hostTarget().folder(), h.Name+".zip"), nil
}

// runHere builds a handler and runs it in a stack of its own, which the caller closes.
func (p place) runHere(ctx context.Context, h spec.Handler) (*localFunctions, function, error) {
	zip, err := p.buildHere(ctx, h)
	if err != nil {
		return nil, function{}, err
	}
	l, err := p.startFunctions(ctx, h)
	if err != nil {
		return nil, function{}, err
	}
	f, err := l.deploy(ctx, h, p.plainFunction(h), zip)
	if err != nil {
		return nil, function{}, errors.Join(err, l.close())
	}
	return l, f, nil
}

package lambda_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

var fn = aws.String("fn")

func ok[T any](t *testing.T) func(out T, err error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestPublish(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	in := functionInput(t)
	in.Publish = true
	created := ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, in))
	if *created.Version != "1" || *created.FunctionArn != fnARN+":1" {
		t.Errorf("created %s, %s", *created.Version, *created.FunctionArn)
	}
	updated := ok[*sdk.UpdateFunctionCodeOutput](t)(s.client.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: fn, ZipFile: pack(t, "#!/bin/false\n"), Publish: true}))
	if *updated.Version != "2" || *updated.FunctionArn != fnARN+":2" {
		t.Errorf("updated %s, %s", *updated.Version, *updated.FunctionArn)
	}
	ok[*sdk.UpdateFunctionConfigurationOutput](t)(s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: fn, Timeout: aws.Int32(9)}))
	for range 2 { // unchanged, it is the same one
		third := ok[*sdk.PublishVersionOutput](t)(s.client.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: fn, Description: aws.String("third")}))
		if *third.Version != "3" || *third.Description != "third" || *third.Timeout != 9 {
			t.Errorf("published %s %q", *third.Version, *third.Description)
		}
	}
	list := ok[*sdk.ListVersionsByFunctionOutput](t)(s.client.ListVersionsByFunction(ctx, &sdk.ListVersionsByFunctionInput{FunctionName: fn}))
	var arns []string
	for _, v := range list.Versions {
		arns = append(arns, strings.TrimPrefix(*v.FunctionArn, fnARN))
	}
	if got := strings.Join(arns, " "); got != ":$LATEST :1 :2 :3" {
		t.Errorf("versions %s", got)
	}
	all := ok[*sdk.ListFunctionsOutput](t)(s.client.ListFunctions(ctx, &sdk.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll}))
	if len(all.Functions) != 4 {
		t.Errorf("%d versions of all functions", len(all.Functions))
	}
	one := ok[*sdk.GetFunctionConfigurationOutput](t)(s.client.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String(fnARN + ":1")}))
	if *one.Timeout != 3 || *one.CodeSha256 != *created.CodeSha256 {
		t.Errorf("version 1 became %+v", one)
	}
	ok[*sdk.DeleteFunctionOutput](t)(s.client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: fn, Qualifier: aws.String("1")}))
	_, err := s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("fn:1")})
	refused(t, err, 404, "ResourceNotFoundException", fnARN+":1")
}

func TestAliases(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	in := functionInput(t)
	in.Publish = true
	ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, in))
	created := ok[*sdk.CreateAliasOutput](t)(s.client.CreateAlias(ctx, &sdk.CreateAliasInput{FunctionName: fn, Name: aws.String("live"), FunctionVersion: aws.String("1")}))
	if *created.AliasArn != fnARN+":live" || *created.FunctionVersion != "1" || created.RoutingConfig == nil {
		t.Errorf("%+v", created)
	}
	f := ok[*sdk.GetFunctionOutput](t)(s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: fn, Qualifier: aws.String("live")}))
	if *f.Configuration.FunctionArn != fnARN+":live" || *f.Configuration.Version != "1" {
		t.Errorf("the alias is shown as %s, %s", *f.Configuration.FunctionArn, *f.Configuration.Version)
	}
	mapping := ok[*sdk.CreateEventSourceMappingOutput](t)(s.client.CreateEventSourceMapping(ctx, &sdk.CreateEventSourceMappingInput{
		FunctionName: aws.String(fnARN + ":live"), EventSourceArn: aws.String(streamARN), StartingPosition: types.EventSourcePositionTrimHorizon,
	}))
	if *mapping.FunctionArn != fnARN+":live" {
		t.Errorf("mapping of %s", *mapping.FunctionArn)
	}
	ok[*sdk.UpdateAliasOutput](t)(s.client.UpdateAlias(ctx, &sdk.UpdateAliasInput{FunctionName: fn, Name: aws.String("live"), FunctionVersion: aws.String("$LATEST"), Description: aws.String("d")}))
	got := ok[*sdk.GetAliasOutput](t)(s.client.GetAlias(ctx, &sdk.GetAliasInput{FunctionName: fn, Name: aws.String("live")}))
	if *got.FunctionVersion != "$LATEST" || *got.Description != "d" || *got.RevisionId == *created.RevisionId || got.RoutingConfig != nil {
		t.Errorf("%+v", got)
	}
	list := ok[*sdk.ListAliasesOutput](t)(s.client.ListAliases(ctx, &sdk.ListAliasesInput{FunctionName: fn}))
	if none := ok[*sdk.ListAliasesOutput](t)(s.client.ListAliases(ctx, &sdk.ListAliasesInput{FunctionName: fn, FunctionVersion: aws.String("1")})); len(list.Aliases) != 1 || len(none.Aliases) != 0 {
		t.Errorf("%d aliases, %d of version 1", len(list.Aliases), len(none.Aliases))
	}
	for _, test := range []struct {
		name, version, code, want string
		status                    int
		weights                   map[string]float64
	}{
		{"7", "1", "ValidationException", "at 'name'", 400, nil},
		{"x", "live", "ValidationException", "at 'functionVersion'", 400, nil},
		{"x", "9", "ResourceNotFoundException", fnARN + ":9", 404, nil},
		{"live", "1", "ResourceConflictException", "Alias already exists: " + fnARN + ":live", 409, nil},
		{"x", "1", "ValidationException", "additionalVersionWeights.$LATEST", 400, map[string]float64{"$LATEST": 1.5}},
		{"x", "1", "InvalidParameterValueException", "$LATEST is not supported", 400, map[string]float64{"$LATEST": 0.5}},
	} {
		in := &sdk.CreateAliasInput{FunctionName: fn, Name: &test.name, FunctionVersion: &test.version}
		if test.weights != nil {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: test.weights}
		}
		_, err := s.client.CreateAlias(ctx, in)
		refused(t, err, test.status, test.code, test.want)
	}
	for range 2 { // one that is gone may be deleted again
		ok[*sdk.DeleteAliasOutput](t)(s.client.DeleteAlias(ctx, &sdk.DeleteAliasInput{FunctionName: fn, Name: aws.String("live")}))
	}
	_, err := s.client.GetAlias(ctx, &sdk.GetAliasInput{FunctionName: fn, Name: aws.String("live")})
	refused(t, err, 404, "ResourceNotFoundException", "Cannot find alias arn: "+fnARN+":live")
}

func TestConcurrency(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	in := functionInput(t)
	in.Publish = true
	ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, in))
	none := ok[*sdk.GetFunctionConcurrencyOutput](t)(s.client.GetFunctionConcurrency(ctx, &sdk.GetFunctionConcurrencyInput{FunctionName: fn}))
	if none.ReservedConcurrentExecutions != nil {
		t.Errorf("%d are reserved", *none.ReservedConcurrentExecutions)
	}
	ok[*sdk.PutFunctionConcurrencyOutput](t)(s.client.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: fn, ReservedConcurrentExecutions: aws.Int32(0)}))
	f := ok[*sdk.GetFunctionOutput](t)(s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: fn}))
	if f.Concurrency == nil || *f.Concurrency.ReservedConcurrentExecutions != 0 {
		t.Errorf("%+v", f.Concurrency)
	}
	status, header, body := s.send("POST", "/2015-03-31/functions/fn/invocations", "{}")
	if want := `{"Message":"Rate Exceeded.","Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User"}`; status != 429 ||
		header.Get("X-Amzn-Errortype") != "TooManyRequestsException" || body != want {
		t.Errorf("%d %s %s", status, header.Get("X-Amzn-Errortype"), body)
	}
	_, err := s.client.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: fn, ReservedConcurrentExecutions: aws.Int32(901)})
	refused(t, err, 400, "InvalidParameterValueException", "below its minimum value of [100]")
	ok[*sdk.PutFunctionConcurrencyOutput](t)(s.client.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: fn, ReservedConcurrentExecutions: aws.Int32(5)}))
	account := ok[*sdk.GetAccountSettingsOutput](t)(s.client.GetAccountSettings(ctx, nil))
	if l := account.AccountLimit; l.ConcurrentExecutions != 1000 || *l.UnreservedConcurrentExecutions != 995 || account.AccountUsage.FunctionCount != 1 {
		t.Errorf("%+v %+v", l, account.AccountUsage)
	}

	one := aws.String("1")
	_, err = s.client.GetProvisionedConcurrencyConfig(ctx, &sdk.GetProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: one})
	refused(t, err, 404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found")
	_, err = s.client.PutProvisionedConcurrencyConfig(ctx, &sdk.PutProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: aws.String("$LATEST"), ProvisionedConcurrentExecutions: aws.Int32(1)})
	refused(t, err, 400, "InvalidParameterValueException", "unpublished function versions")
	_, err = s.client.PutProvisionedConcurrencyConfig(ctx, &sdk.PutProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: one, ProvisionedConcurrentExecutions: aws.Int32(6)})
	refused(t, err, 400, "InvalidParameterValueException", "greater than the reservedConcurrentExecution")
	ok[*sdk.PutProvisionedConcurrencyConfigOutput](t)(s.client.PutProvisionedConcurrencyConfig(ctx, &sdk.PutProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: one, ProvisionedConcurrentExecutions: aws.Int32(2)}))
	p := ok[*sdk.GetProvisionedConcurrencyConfigOutput](t)(s.client.GetProvisionedConcurrencyConfig(ctx, &sdk.GetProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: one}))
	if p.Status != types.ProvisionedConcurrencyStatusEnumReady || *p.AllocatedProvisionedConcurrentExecutions != 2 {
		t.Errorf("%+v", p)
	}
	list := ok[*sdk.ListProvisionedConcurrencyConfigsOutput](t)(s.client.ListProvisionedConcurrencyConfigs(ctx, &sdk.ListProvisionedConcurrencyConfigsInput{FunctionName: fn}))
	if len(list.ProvisionedConcurrencyConfigs) != 1 || *list.ProvisionedConcurrencyConfigs[0].FunctionArn != fnARN+":1" {
		t.Errorf("%+v", list)
	}
	ok[*sdk.DeleteProvisionedConcurrencyConfigOutput](t)(s.client.DeleteProvisionedConcurrencyConfig(ctx, &sdk.DeleteProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: one}))
	ok[*sdk.DeleteFunctionConcurrencyOutput](t)(s.client.DeleteFunctionConcurrency(ctx, &sdk.DeleteFunctionConcurrencyInput{FunctionName: fn}))
	if again := ok[*sdk.GetFunctionOutput](t)(s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: fn})); again.Concurrency != nil {
		t.Errorf("%+v", again.Concurrency)
	}
}

func TestEventInvokeConfig(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, functionInput(t)))
	_, err := s.client.GetFunctionEventInvokeConfig(ctx, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: fn})
	refused(t, err, 404, "ResourceNotFoundException", "The function "+fnARN+":$LATEST doesn't have an EventInvokeConfig")
	_, err = s.client.UpdateFunctionEventInvokeConfig(ctx, &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: fn, MaximumRetryAttempts: aws.Int32(1)})
	refused(t, err, 404, "ResourceNotFoundException", "doesn't have an EventInvokeConfig")
	queue := "arn:aws:sqs:us-east-1:000000000000:failed"
	put := func(in *sdk.PutFunctionEventInvokeConfigInput) error {
		in.FunctionName = fn
		_, err := s.client.PutFunctionEventInvokeConfig(ctx, in)
		return err
	}
	refused(t, put(&sdk.PutFunctionEventInvokeConfigInput{MaximumRetryAttempts: aws.Int32(3)}), 400, "ValidationException", "at 'maximumRetryAttempts'")
	refused(t, put(&sdk.PutFunctionEventInvokeConfigInput{MaximumEventAgeInSeconds: aws.Int32(59)}), 400, "ValidationException", "at 'maximumEventAgeInSeconds'")
	refused(t, put(&sdk.PutFunctionEventInvokeConfigInput{}), 400, "InvalidParameterValueException", "at least one")
	to := func(success, failure string) *sdk.PutFunctionEventInvokeConfigInput {
		d := &types.DestinationConfig{}
		if success != "" {
			d.OnSuccess = &types.OnSuccess{Destination: &success}
		}
		if failure != "" {
			d.OnFailure = &types.OnFailure{Destination: &failure}
		}
		return &sdk.PutFunctionEventInvokeConfigInput{DestinationConfig: d}
	}
	const bucket, topic = "arn:aws:s3:::lost", "arn:aws:sns:us-east-1:000000000000:lost"
	refused(t, put(to("", "queue")), 400, "InvalidParameterValueException",
		"The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=queue)) is invalid.")
	refused(t, put(to(bucket, bucket)), 400, "InvalidParameterValueException", // buckets are for failures
		"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="+bucket+"), onFailure=OnFailure(destination="+bucket+")) is invalid.")
	refused(t, put(to("", topic+".fifo")), 400, "InvalidParameterValueException", "onFailure=OnFailure(destination="+topic+".fifo)) is invalid.")
	const bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
	refused(t, put(to(bus, "")), 400, "ValidationException", "streamgen local does not emulate the event bus "+bus+" as DestinationConfig.OnSuccess of PutFunctionEventInvokeConfig")
	for _, taken := range [][2]string{{topic, bucket}, {queue, queue}, {fnARN + ":live", fnARN}} {
		if err := put(to(taken[0], taken[1])); err != nil {
			t.Error(err)
		}
	}
	if err := put(&sdk.PutFunctionEventInvokeConfigInput{
		MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &queue}},
	}); err != nil {
		t.Fatal(err)
	}
	ok[*sdk.UpdateFunctionEventInvokeConfigOutput](t)(s.client.UpdateFunctionEventInvokeConfig(ctx, &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: fn, MaximumEventAgeInSeconds: aws.Int32(60)}))
	got := ok[*sdk.GetFunctionEventInvokeConfigOutput](t)(s.client.GetFunctionEventInvokeConfig(ctx, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: fn}))
	if *got.FunctionArn != fnARN+":$LATEST" || *got.MaximumRetryAttempts != 0 || *got.MaximumEventAgeInSeconds != 60 || *got.DestinationConfig.OnFailure.Destination != queue {
		t.Errorf("%+v", got)
	}
	list := ok[*sdk.ListFunctionEventInvokeConfigsOutput](t)(s.client.ListFunctionEventInvokeConfigs(ctx, &sdk.ListFunctionEventInvokeConfigsInput{FunctionName: fn}))
	if len(list.FunctionEventInvokeConfigs) != 1 {
		t.Errorf("%+v", list)
	}
	invoked := ok[*sdk.InvokeOutput](t)(s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: fn, InvocationType: types.InvocationTypeEvent}))
	if invoked.StatusCode != 202 || len(invoked.Payload) > 0 || invoked.ExecutedVersion != nil {
		t.Errorf("%+v", invoked)
	}
	ok[*sdk.DeleteFunctionEventInvokeConfigOutput](t)(s.client.DeleteFunctionEventInvokeConfig(ctx, &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: fn}))
	_, err = s.client.DeleteFunctionEventInvokeConfig(ctx, &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: fn})
	refused(t, err, 404, "ResourceNotFoundException", "doesn't have an EventInvokeConfig")
}

func TestLayers(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	name, arn := aws.String("tools"), "arn:aws:lambda:us-east-1:000000000000:layer:tools"
	out := ok[*sdk.PublishLayerVersionOutput](t)(s.client.PublishLayerVersion(ctx, &sdk.PublishLayerVersionInput{
		LayerName: name, Description: aws.String("d"), LicenseInfo: aws.String("MIT"), Content: &types.LayerVersionContentInput{ZipFile: pack(t, "x")},
		CompatibleRuntimes: []types.Runtime{types.RuntimeProvidedal2023}, CompatibleArchitectures: []types.Architecture{types.ArchitectureArm64},
	}))
	if *out.LayerArn != arn || *out.LayerVersionArn != arn+":1" || out.Version != 1 || out.Content.CodeSize == 0 {
		t.Errorf("%+v", out)
	}
	got := ok[*sdk.GetLayerVersionOutput](t)(s.client.GetLayerVersion(ctx, &sdk.GetLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(1)}))
	by := ok[*sdk.GetLayerVersionByArnOutput](t)(s.client.GetLayerVersionByArn(ctx, &sdk.GetLayerVersionByArnInput{Arn: out.LayerVersionArn}))
	if *got.Content.CodeSha256 != *out.Content.CodeSha256 || *by.LayerVersionArn != arn+":1" || *by.Description != "d" || *by.LicenseInfo != "MIT" {
		t.Errorf("%+v %+v", got, by)
	}
	layers := ok[*sdk.ListLayersOutput](t)(s.client.ListLayers(ctx, &sdk.ListLayersInput{CompatibleArchitecture: types.ArchitectureArm64}))
	others := ok[*sdk.ListLayersOutput](t)(s.client.ListLayers(ctx, &sdk.ListLayersInput{CompatibleArchitecture: types.ArchitectureX8664}))
	versions := ok[*sdk.ListLayerVersionsOutput](t)(s.client.ListLayerVersions(ctx, &sdk.ListLayerVersionsInput{LayerName: name}))
	if len(layers.Layers) != 1 || *layers.Layers[0].LatestMatchingVersion.LayerVersionArn != arn+":1" || len(others.Layers) != 0 || len(versions.LayerVersions) != 1 {
		t.Errorf("%+v %+v %+v", layers, others, versions)
	}
	in := functionInput(t)
	in.Layers = []string{arn + ":1"}
	f := ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, in))
	if len(f.Layers) != 1 || *f.Layers[0].Arn != arn+":1" || f.Layers[0].CodeSize != out.Content.CodeSize {
		t.Errorf("%+v", f.Layers)
	}
	ok[*sdk.DeleteLayerVersionOutput](t)(s.client.DeleteLayerVersion(ctx, &sdk.DeleteLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(1)}))
	_, err := s.client.GetLayerVersion(ctx, &sdk.GetLayerVersionInput{LayerName: name, VersionNumber: aws.Int64(1)})
	refused(t, err, 404, "ResourceNotFoundException", "does not exist")
	_, err = s.client.PublishLayerVersion(ctx, &sdk.PublishLayerVersionInput{LayerName: name, Content: &types.LayerVersionContentInput{S3Bucket: aws.String("b")}})
	refused(t, err, 400, "ValidationException", `"S3Bucket" of PublishLayerVersion`)
	if removed := ok[*sdk.UpdateFunctionConfigurationOutput](t)(s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: fn, Layers: []string{}})); len(removed.Layers) != 0 {
		t.Errorf("%+v", removed.Layers)
	}
}

// What is kept and described alone comes back as it was sent, and can be taken back.
func TestDescribedConfiguration(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	in := functionInput(t)
	key, dead := "arn:aws:kms:us-east-1:000000000000:key/k", "arn:aws:sqs:us-east-1:000000000000:dead"
	in.KMSKeyArn, in.EphemeralStorage, in.DeadLetterConfig = &key, &types.EphemeralStorage{Size: aws.Int32(1024)}, &types.DeadLetterConfig{TargetArn: &dead}
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}, Ipv6AllowedForDualStack: aws.Bool(true)}
	in.TracingConfig = &types.TracingConfig{Mode: types.TracingModeActive}
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelWarn}
	ok[*sdk.CreateFunctionOutput](t)(s.client.CreateFunction(ctx, in))
	c := ok[*sdk.GetFunctionConfigurationOutput](t)(s.client.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: fn}))
	if *c.KMSKeyArn != key || *c.EphemeralStorage.Size != 1024 || *c.DeadLetterConfig.TargetArn != dead || c.TracingConfig.Mode != types.TracingModeActive {
		t.Errorf("%+v", c)
	}
	if v := c.VpcConfig; !strings.HasPrefix(*v.VpcId, "vpc-") || v.SubnetIds[0] != "subnet-1" || v.SecurityGroupIds[0] != "sg-1" || !*v.Ipv6AllowedForDualStack {
		t.Errorf("%+v", v)
	}
	if l := c.LoggingConfig; l.LogFormat != types.LogFormatJson || l.ApplicationLogLevel != types.ApplicationLogLevelWarn || l.SystemLogLevel != types.SystemLogLevelInfo {
		t.Errorf("%+v", l)
	}
	u := ok[*sdk.UpdateFunctionConfigurationOutput](t)(s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: fn, KMSKeyArn: aws.String(""), DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("")},
		VpcConfig: &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}}, LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText},
	}))
	if u.KMSKeyArn != nil && *u.KMSKeyArn != "" || u.DeadLetterConfig != nil || u.VpcConfig != nil || u.LoggingConfig.LogFormat != types.LogFormatText || *u.EphemeralStorage.Size != 1024 {
		t.Errorf("%+v", u)
	}
}

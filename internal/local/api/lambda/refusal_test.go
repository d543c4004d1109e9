package lambda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestCreateFunctionRefusals(t *testing.T) {
	const notEmulated = "streamgen local does not emulate "
	tests := []struct {
		name   string
		change func(*sdk.CreateFunctionInput)
		code   string
		want   string
	}{
		{"image", func(in *sdk.CreateFunctionInput) { in.PackageType = types.PackageTypeImage }, "ValidationException", notEmulated + "PackageType"},
		{"runtime", func(in *sdk.CreateFunctionInput) { in.Runtime = types.RuntimePython312 }, "ValidationException", notEmulated + "Runtime python3.12"},
		{"layers", func(in *sdk.CreateFunctionInput) { in.Layers = []string{"arn"} }, "InvalidParameterValueException", "Layer version arn does not exist."},
		{"six layers", func(in *sdk.CreateFunctionInput) { in.Layers = []string{"1", "2", "3", "4", "5", "6"} }, "InvalidParameterValueException", "Cannot reference more than 5 layers."},
		{"VPC", func(in *sdk.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"s"}} }, "InvalidParameterValueException", "SecurityGroupIds and SubnetIds must coexist"},
		{"dead letters", func(in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sns:us-east-1:000000000000:t.fifo")}
		}, "InvalidParameterValueException", "The dead-letter target ARN arn:aws:sns:us-east-1:000000000000:t.fifo is invalid: it is that of a standard queue or topic."},
		{"dead letters of no ARN", func(in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("queue")}
		}, "ValidationException", "Value 'queue' at 'deadLetterConfig.targetArn' failed to satisfy constraint"},
		{"snapshots", func(in *sdk.CreateFunctionInput) {
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, "ValidationException", notEmulated + "SnapStart"},
		{"tracing", func(in *sdk.CreateFunctionInput) {
			in.TracingConfig = &types.TracingConfig{Mode: "Some"}
		}, "ValidationException", "Value 'Some' at 'tracingConfig.mode'"},
		{"storage", func(in *sdk.CreateFunctionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(10241)}
		}, "ValidationException", "Value '10241' at 'ephemeralStorage.size'"},
		{"level of text logs", func(in *sdk.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{SystemLogLevel: types.SystemLogLevelWarn}
		}, "InvalidParameterValueException", "can only be set when LogFormat is JSON"},
		{"file system", func(in *sdk.CreateFunctionInput) {
			in.FileSystemConfigs = []types.FileSystemConfig{{Arn: aws.String("a"), LocalMountPath: aws.String("/mnt/x")}}
		}, "ValidationException", notEmulated + "FileSystemConfigs"},
		{"key", func(in *sdk.CreateFunctionInput) { in.KMSKeyArn = aws.String("k") }, "ValidationException", "Value 'k' at 'kMSKeyArn'"},
		{"code in S3", func(in *sdk.CreateFunctionInput) { in.Code.S3Bucket = aws.String("b") }, "ValidationException", notEmulated + `"S3Bucket" of CreateFunction`},
		{"code signing", func(in *sdk.CreateFunctionInput) { in.CodeSigningConfigArn = aws.String("arn") }, "ValidationException", notEmulated + `"CodeSigningConfigArn"`},
		{"no code", func(in *sdk.CreateFunctionInput) { in.Code = &types.FunctionCode{} }, "InvalidParameterValueException", "Please provide a source for function code."},
		{"no zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = []byte("no") }, "InvalidParameterValueException", "Could not unzip uploaded file."},
		{"no handler", func(in *sdk.CreateFunctionInput) { in.Handler = nil }, "InvalidParameterValueException", "Runtime and Handler are mandatory"},
		{"name", func(in *sdk.CreateFunctionInput) { in.FunctionName = aws.String("a b") }, "InvalidParameterValueException", "neither a function's name nor its ARN"},
		{"qualified name", func(in *sdk.CreateFunctionInput) { in.FunctionName = aws.String("fn:1") }, "InvalidParameterValueException", "no qualifier"},
		{"role", func(in *sdk.CreateFunctionInput) { in.Role = aws.String("fn-role") }, "ValidationException", "Value 'fn-role' at 'role' failed to satisfy constraint"},
		{"timeout", func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "ValidationException", "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
		{"two at once", func(in *sdk.CreateFunctionInput) { in.Timeout, in.MemorySize = aws.Int32(0), aws.Int32(1) }, "ValidationException", "2 validation errors detected: Value '0' at 'timeout'"},
		{"architecture", func(in *sdk.CreateFunctionInput) { in.Architectures = []types.Architecture{"riscv"} }, "ValidationException", "Value '[riscv]' at 'architectures'"},
		{"reserved variable", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x", "AWS_LAMBDA_FUNCTION_NAME": "x", "FINE": "x"}}
		}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_LAMBDA_FUNCTION_NAME, AWS_REGION"},
		{"variable's name", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"A=B": "x"}}
		}, "InvalidParameterValueException", `"A=B"`},
		{"large environment", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"BIG": strings.Repeat("x", 4096)}}
		}, "InvalidParameterValueException", "exceeded the 4KB limit"},
		{"description", func(in *sdk.CreateFunctionInput) { in.Description = aws.String(strings.Repeat("ü", 257)) }, "ValidationException", "at 'description'"},
		{"tag's key", func(in *sdk.CreateFunctionInput) { in.Tags = map[string]string{strings.Repeat("ü", 129): ""} }, "ValidationException", "keys of 1 to 128"},
		{"tag", func(in *sdk.CreateFunctionInput) { in.Tags = map[string]string{"aws:x": "y"} }, "InvalidParameterValueException", "reserved: aws:x"},
	}
	s := start(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := functionInput(t)
			test.change(in)
			_, err := s.client.CreateFunction(t.Context(), in)
			refused(t, err, 400, test.code, test.want)
		})
	}
	out, err := s.client.ListFunctions(t.Context(), nil)
	if err != nil || len(out.Functions) != 0 {
		t.Errorf("something was created: %+v %v", out, err)
	}
}

func TestFunctionErrors(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	gone := aws.String("gone")
	const notFound, missing = "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone"
	s.createFunction()

	_, err := s.client.CreateFunction(ctx, functionInput(t))
	refused(t, err, 409, "ResourceConflictException", "Function already exist: fn")
	var conflict *types.ResourceConflictException
	if !errors.As(err, &conflict) {
		t.Errorf("the SDK does not know %v", err)
	}
	_, err = s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.ListVersionsByFunction(ctx, &sdk.ListVersionsByFunctionInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.GetFunctionCodeSigningConfig(ctx, &sdk.GetFunctionCodeSigningConfigInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: gone, ZipFile: pack(t, "x")})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: gone})
	refused(t, err, 404, notFound, missing)
	_, err = s.client.ListTags(ctx, &sdk.ListTagsInput{Resource: aws.String("arn:aws:lambda:us-east-1:000000000000:function:gone")})
	refused(t, err, 404, notFound, missing)

	_, err = s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("fn"), Qualifier: aws.String("1")})
	refused(t, err, 404, notFound, "Function not found: "+fnARN+":1")
	_, err = s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("fn:$LATEST"), Qualifier: aws.String("1")})
	refused(t, err, 400, "InvalidParameterValueException", "derived qualifier")
	_, err = s.client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: aws.String("fn"), Qualifier: aws.String("$LATEST")})
	refused(t, err, 400, "InvalidParameterValueException", "$LATEST version cannot be deleted")
	_, err = s.client.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("fn"), ZipFile: pack(t, "x"), RevisionId: aws.String("old")})
	refused(t, err, 412, "PreconditionFailedException", "RevisionId provided does not match")
	_, err = s.client.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("fn"), ZipFile: pack(t, "x"), DryRun: true})
	refused(t, err, 400, "ValidationException", "does not emulate DryRun of UpdateFunctionCode")
	_, err = s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), Layers: []string{"l"}})
	refused(t, err, 400, "InvalidParameterValueException", "Layer version l does not exist.")
	_, err = s.client.TagResource(ctx, &sdk.TagResourceInput{Resource: aws.String(fnARN), Tags: map[string]string{"": "x"}})
	refused(t, err, 400, "ValidationException", "keys of 1 to 128")
	_, err = s.client.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: aws.String("fn"), CodeSha256: aws.String("other")})
	refused(t, err, 400, "InvalidParameterValueException", "CodeSHA256 (other) is different")
}

func TestDefaultsThatClientsSendAreTaken(t *testing.T) {
	s := start(t)
	in := functionInput(t)
	in.Layers, in.KMSKeyArn, in.PackageType = []string{}, aws.String(""), types.PackageTypeZip
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}, Ipv6AllowedForDualStack: aws.Bool(false)}
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("")}
	in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}
	in.TracingConfig = &types.TracingConfig{Mode: types.TracingModePassThrough}
	in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(512)}
	in.FileSystemConfigs = []types.FileSystemConfig{}
	in.Description = aws.String(strings.Repeat("ü", 256)) // lengths are of characters
	in.Tags = map[string]string{strings.Repeat("ü", 128): strings.Repeat("ü", 256)}
	out, err := s.client.CreateFunction(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToInt32(out.Timeout) != 3 || aws.ToInt32(out.MemorySize) != 128 || out.Architectures[0] != types.ArchitectureX8664 ||
		aws.ToString(out.LoggingConfig.LogGroup) != "/aws/lambda/fn" || out.Environment != nil {
		t.Errorf("defaults: %+v", out)
	}
	m := mappingInput()
	m.BisectBatchOnFunctionError, m.ParallelizationFactor, m.TumblingWindowInSeconds = aws.Bool(false), aws.Int32(1), aws.Int32(0)
	m.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{}}
	m.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{}}
	m.MetricsConfig, m.ProvisionedPollerConfig = &types.EventSourceMappingMetricsConfig{}, &types.ProvisionedPollerConfig{}
	got, err := s.client.CreateEventSourceMapping(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToInt32(got.BatchSize) != 100 || aws.ToInt32(got.MaximumRetryAttempts) != -1 || aws.ToInt32(got.MaximumRecordAgeInSeconds) != -1 || got.FilterCriteria != nil {
		t.Errorf("defaults: %+v", got)
	}
}

func TestCreateMappingRefusals(t *testing.T) {
	const notEmulated = "streamgen local does not emulate "
	tests := []struct {
		name   string
		change func(*sdk.CreateEventSourceMappingInput)
		code   string
		want   string
	}{
		{"stream", func(in *sdk.CreateEventSourceMappingInput) { in.EventSourceArn = aws.String(streamARN + "0") }, "InvalidParameterValueException", "Stream not found: " + streamARN + "0"},
		{"no stream", func(in *sdk.CreateEventSourceMappingInput) { in.EventSourceArn = nil }, "InvalidParameterValueException", "Unrecognized event source."},
		{"queue", func(in *sdk.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String("arn:aws:sqs:us-east-1:0:q")
		}, "ValidationException", notEmulated + "event source arn:aws:sqs:us-east-1:0:q"},
		{"function", func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("gone") }, "InvalidParameterValueException", "Function does not exist"},
		{"version", func(in *sdk.CreateEventSourceMappingInput) { in.FunctionName = aws.String("fn:1") }, "InvalidParameterValueException", "Function does not exist"},
		{"no position", func(in *sdk.CreateEventSourceMappingInput) { in.StartingPosition = "" }, "InvalidParameterValueException", "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."},
		{"position", func(in *sdk.CreateEventSourceMappingInput) { in.StartingPosition = "invalid" }, "ValidationException", "1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"},
		{"time", func(in *sdk.CreateEventSourceMappingInput) { in.StartingPosition = "AT_TIMESTAMP" }, "InvalidParameterValueException", "Unsupported starting position for arn type: " + streamARN},
		{"batch size", func(in *sdk.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(10001) }, "ValidationException", "Value '10001' at 'batchSize'"},
		{"window", func(in *sdk.CreateEventSourceMappingInput) { in.MaximumBatchingWindowInSeconds = aws.Int32(301) }, "ValidationException", "Value '301' at 'maximumBatchingWindowInSeconds'"},
		{"age", func(in *sdk.CreateEventSourceMappingInput) { in.MaximumRecordAgeInSeconds = aws.Int32(59) }, "InvalidParameterValueException", "MaximumRecordAgeInSeconds is -1 or from 60 to 604800, not 59"},
		{"retries", func(in *sdk.CreateEventSourceMappingInput) { in.MaximumRetryAttempts = aws.Int32(-2) }, "ValidationException", "Value '-2' at 'maximumRetryAttempts'"},
		{"response type", func(in *sdk.CreateEventSourceMappingInput) {
			in.FunctionResponseTypes = []types.FunctionResponseType{"X"}
		}, "ValidationException", "Value 'X' at 'functionResponseTypes'"},
		{"no lane", func(in *sdk.CreateEventSourceMappingInput) { in.ParallelizationFactor = aws.Int32(0) }, "ValidationException", "Value '0' at 'parallelizationFactor'"},
		{"eleven lanes", func(in *sdk.CreateEventSourceMappingInput) { in.ParallelizationFactor = aws.Int32(11) }, "ValidationException", "Value '11' at 'parallelizationFactor'"},
		{"tumbling", func(in *sdk.CreateEventSourceMappingInput) { in.TumblingWindowInSeconds = aws.Int32(901) }, "ValidationException", "Value '901' at 'tumblingWindowInSeconds'"},
		{"tumbling in lanes", func(in *sdk.CreateEventSourceMappingInput) {
			in.TumblingWindowInSeconds, in.ParallelizationFactor = aws.Int32(60), aws.Int32(2)
		}, "InvalidParameterValueException", "With TumblingWindowInSeconds, ParallelizationFactor must be 1, not 2."},
		{"filter", func(in *sdk.CreateEventSourceMappingInput) {
			in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"eventName":"INSERT"}`)}}}
		}, "InvalidParameterValueException", "Invalid filter pattern definition."},
		{"long filter", func(in *sdk.CreateEventSourceMappingInput) {
			in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{}`)}, {Pattern: aws.String(`{"a":["` + strings.Repeat("ä", 4096) + `"]}`)}}}
		}, "ValidationException", "at 'filterCriteria.filters.2.member.pattern' failed to satisfy constraint: Member must have length less than or equal to 4096"},
		{"destination", func(in *sdk.CreateEventSourceMappingInput) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("https://queue")}}
		}, "ValidationException", "Value 'https://queue' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: ^$|arn:"},
		{"FIFO queue", func(in *sdk.CreateEventSourceMappingInput) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:us-east-1:000000000000:lost.fifo")}}
		}, "InvalidParameterValueException", "The destination ARN arn:aws:sqs:us-east-1:000000000000:lost.fifo is invalid."},
		{"FIFO topic", func(in *sdk.CreateEventSourceMappingInput) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sns:us-east-1:000000000000:lost.fifo")}}
		}, "InvalidParameterValueException", "The destination ARN arn:aws:sns:us-east-1:000000000000:lost.fifo is invalid."},
		{"bus", func(in *sdk.CreateEventSourceMappingInput) {
			in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:events:us-east-1:000000000000:event-bus/default")}}
		}, "InvalidParameterValueException", "The destination ARN arn:aws:events:us-east-1:000000000000:event-bus/default is invalid."},
		{"metric", func(in *sdk.CreateEventSourceMappingInput) {
			in.MetricsConfig = &types.EventSourceMappingMetricsConfig{Metrics: []types.EventSourceMappingMetric{"X"}}
		}, "ValidationException", "Value 'X' at 'metricsConfig.metrics'"},
		{"metrics of Kafka", func(in *sdk.CreateEventSourceMappingInput) {
			in.MetricsConfig = &types.EventSourceMappingMetricsConfig{Metrics: []types.EventSourceMappingMetric{"EventCount", "KafkaMetrics"}}
		}, "InvalidParameterValueException", "has the metrics EventCount alone"},
		{"pollers", func(in *sdk.CreateEventSourceMappingInput) {
			in.ProvisionedPollerConfig = &types.ProvisionedPollerConfig{MinimumPollers: aws.Int32(1)}
		}, "ValidationException", notEmulated + "ProvisionedPollerConfig"},
		{"queues", func(in *sdk.CreateEventSourceMappingInput) { in.Queues = []string{"q"} }, "ValidationException", notEmulated + `"Queues"`},
		{"key", func(in *sdk.CreateEventSourceMappingInput) {
			in.KMSKeyArn = aws.String("alias/k")
		}, "ValidationException", "Value 'alias/k' at 'kMSKeyArn'"},
	}
	s := start(t)
	s.createFunction()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := mappingInput()
			test.change(in)
			_, err := s.client.CreateEventSourceMapping(t.Context(), in)
			refused(t, err, 400, test.code, test.want)
		})
	}
	out, err := s.client.ListEventSourceMappings(t.Context(), nil)
	if err != nil || len(out.EventSourceMappings) != 0 {
		t.Errorf("something was created: %+v %v", out, err)
	}
}

func TestMappingErrors(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	s.createFunction()
	created, err := s.client.CreateEventSourceMapping(ctx, mappingInput())
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.CreateEventSourceMapping(ctx, mappingInput())
	refused(t, err, 409, "ResourceConflictException", `The event source arn (" `+streamARN+` ") and function (" fn ") provided mapping already exists. Please update or delete the existing mapping with UUID `+*created.UUID)
	gone := aws.String("11111111-1111-1111-1111-111111111111")
	const notFound, message = "ResourceNotFoundException", "The resource you requested does not exist."
	_, err = s.client.GetEventSourceMapping(ctx, &sdk.GetEventSourceMappingInput{UUID: gone})
	refused(t, err, 404, notFound, message)
	_, err = s.client.UpdateEventSourceMapping(ctx, &sdk.UpdateEventSourceMappingInput{UUID: gone})
	refused(t, err, 404, notFound, message)
	_, err = s.client.DeleteEventSourceMapping(ctx, &sdk.DeleteEventSourceMappingInput{UUID: gone})
	refused(t, err, 404, notFound, message)
	_, err = s.client.ListTags(ctx, &sdk.ListTagsInput{Resource: aws.String("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:" + *gone)})
	refused(t, err, 404, notFound, message)
	_, err = s.client.UpdateEventSourceMapping(ctx, &sdk.UpdateEventSourceMappingInput{UUID: created.UUID, TumblingWindowInSeconds: aws.Int32(60)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.client.UpdateEventSourceMapping(ctx, &sdk.UpdateEventSourceMappingInput{UUID: created.UUID, ParallelizationFactor: aws.Int32(2)})
	refused(t, err, 400, "InvalidParameterValueException", "ParallelizationFactor must be 1")
	_, err = s.client.UpdateEventSourceMapping(ctx, &sdk.UpdateEventSourceMappingInput{UUID: created.UUID, FunctionName: aws.String("gone")})
	refused(t, err, 400, "InvalidParameterValueException", "Function does not exist")
}

// TestMappingOptionsAreToldAsTheyWereGiven sets what the defaults are not, takes some of it back, and sees what is left.
func TestMappingOptionsAreToldAsTheyWereGiven(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	s.createFunction()
	in := mappingInput()
	in.ParallelizationFactor, in.KMSKeyArn = aws.Int32(10), aws.String("arn:aws:kms:us-east-1:000000000000:key/k")
	in.MetricsConfig = &types.EventSourceMappingMetricsConfig{Metrics: []types.EventSourceMappingMetric{"EventCount"}}
	in.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sns:us-east-1:000000000000:lost")}}
	out, err := s.client.CreateEventSourceMapping(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.ParallelizationFactor != 10 || *out.TumblingWindowInSeconds != 0 || aws.ToString(out.KMSKeyArn) != *in.KMSKeyArn || out.MetricsConfig == nil ||
		len(out.MetricsConfig.Metrics) != 1 || *out.DestinationConfig.OnFailure.Destination != "arn:aws:sns:us-east-1:000000000000:lost" {
		t.Errorf("created: %+v", out)
	}
	updated, err := s.client.UpdateEventSourceMapping(ctx, &sdk.UpdateEventSourceMappingInput{UUID: out.UUID, ParallelizationFactor: aws.Int32(1),
		TumblingWindowInSeconds: aws.Int32(900), KMSKeyArn: aws.String(""), MetricsConfig: &types.EventSourceMappingMetricsConfig{},
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:s3:::lost")}}})
	if err != nil {
		t.Fatal(err)
	}
	if *updated.ParallelizationFactor != 1 || *updated.TumblingWindowInSeconds != 900 || updated.KMSKeyArn != nil || updated.MetricsConfig != nil ||
		*updated.DestinationConfig.OnFailure.Destination != "arn:aws:s3:::lost" {
		t.Errorf("updated: %+v", updated)
	}
}

// TestFunctionARNKeepsItsQualifier: without it terraform would see a change for ever.
func TestFunctionARNKeepsItsQualifier(t *testing.T) {
	s := start(t)
	s.createFunction()
	for name, want := range map[string]string{"fn": fnARN, "000000000000:function:fn:$LATEST": fnARN + ":$LATEST"} {
		in := mappingInput()
		in.FunctionName = &name
		out, err := s.client.CreateEventSourceMapping(t.Context(), in)
		if err != nil || aws.ToString(out.FunctionArn) != want {
			t.Errorf("%s: %v %v, want %s", name, aws.ToString(out.FunctionArn), err, want)
		}
	}
	for filter, want := range map[string]int{"fn": 1, fnARN + ":$LATEST": 1, "gone": 0} {
		out, err := s.client.ListEventSourceMappings(t.Context(), &sdk.ListEventSourceMappingsInput{FunctionName: &filter, EventSourceArn: aws.String(streamARN)})
		if err != nil || len(out.EventSourceMappings) != want {
			t.Errorf("list of %s: %+v %v", filter, out, err)
		}
	}
}

// TestMappingOutlivesItsFunction as it does on AWS.
func TestMappingOutlivesItsFunction(t *testing.T) {
	s := start(t)
	s.createFunction()
	m, err := s.client.CreateEventSourceMapping(t.Context(), mappingInput())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("fn")}); err != nil {
		t.Fatal(err)
	}
	got, err := s.client.GetEventSourceMapping(t.Context(), &sdk.GetEventSourceMappingInput{UUID: m.UUID})
	if err != nil || aws.ToString(got.State) != "Enabled" {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestPaging(t *testing.T) {
	s := start(t)
	var want []string
	for _, name := range []string{"a", "b", "c"} {
		in := functionInput(t)
		in.FunctionName = &name
		if _, err := s.client.CreateFunction(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	var got []string
	pages := sdk.NewListFunctionsPaginator(s.client, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			got = append(got, aws.ToString(f.FunctionName))
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
	_, err := s.client.ListFunctions(t.Context(), &sdk.ListFunctionsInput{Marker: aws.String("x")})
	refused(t, err, 400, "InvalidParameterValueException", `Marker "x"`)
	_, err = s.client.ListFunctions(t.Context(), &sdk.ListFunctionsInput{MaxItems: aws.Int32(0)})
	refused(t, err, 400, "ValidationException", "Value '0' at 'maxItems'")
}

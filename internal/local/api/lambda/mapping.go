package lambda

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/esm"
	"streamgen/internal/local/wire"
)

const (
	reportBatchItemFailures = "ReportBatchItemFailures"
	eventCount              = "EventCount"
)

type destinationConfig struct {
	OnFailure onFailure
}

type onFailure struct {
	Destination string `json:",omitempty"`
}

// mappingConfiguration is a mapping as the API shows it.
// https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
type mappingConfiguration struct {
	UUID, StartingPosition                                           string
	BatchSize, MaximumBatchingWindowInSeconds, ParallelizationFactor int
	EventSourceArn, EventSourceMappingArn, FunctionArn               string
	LastModified                                                     wire.EpochSeconds
	LastProcessingResult, State, StateTransitionReason               string
	DestinationConfig                                                destinationConfig
	MaximumRecordAgeInSeconds                                        int
	BisectBatchOnFunctionError                                       bool
	MaximumRetryAttempts                                             int
	TumblingWindowInSeconds                                          int
	FunctionResponseTypes                                            []string
	FilterCriteria                                                   *filterCriteria `json:",omitempty"`
	KMSKeyArn                                                        string          `json:",omitempty"`
	MetricsConfig                                                    *metricsConfig  `json:",omitempty"`
}

type filterCriteria struct{ Filters []struct{ Pattern string } }

type metricsConfig struct{ Metrics []string }

func mappingOf(m esm.Mapping) *mappingConfiguration {
	out := &mappingConfiguration{
		UUID: m.UUID, StartingPosition: m.StartingPosition, BatchSize: m.BatchSize,
		MaximumBatchingWindowInSeconds: m.MaximumBatchingWindowInSeconds, ParallelizationFactor: max(m.ParallelizationFactor, 1),
		EventSourceArn: m.StreamARN, EventSourceMappingArn: m.ARN, FunctionArn: m.FunctionARN,
		LastModified: wire.EpochSeconds(m.LastModified), LastProcessingResult: m.LastProcessingResult,
		State: m.State, StateTransitionReason: "User action",
		MaximumRecordAgeInSeconds: m.MaximumRecordAgeInSeconds, MaximumRetryAttempts: m.MaximumRetryAttempts,
		FunctionResponseTypes: []string{}, BisectBatchOnFunctionError: m.BisectBatchOnFunctionError,
		DestinationConfig: destinationConfig{onFailure{m.OnFailure}}, TumblingWindowInSeconds: m.TumblingWindowInSeconds, KMSKeyArn: m.KMSKeyARN,
	}
	if m.EventCount {
		out.MetricsConfig = &metricsConfig{[]string{eventCount}}
	}
	if m.ReportBatchItemFailures {
		out.FunctionResponseTypes = append(out.FunctionResponseTypes, reportBatchItemFailures)
	}
	if len(m.Filters) > 0 {
		out.FilterCriteria = &filterCriteria{}
		for _, pattern := range m.Filters {
			out.FilterCriteria.Filters = append(out.FilterCriteria.Filters, struct{ Pattern string }{pattern})
		}
	}
	return out
}

// mappingSettings are the members that creating and updating share. Those that are not emulated are here for the sake of clients
// that send their defaults.
type mappingSettings struct {
	FunctionName                   *string
	Enabled                        *bool
	BatchSize                      *int
	MaximumBatchingWindowInSeconds *int
	MaximumRecordAgeInSeconds      *int
	MaximumRetryAttempts           *int
	FunctionResponseTypes          *[]string
	ParallelizationFactor          *int
	TumblingWindowInSeconds        *int
	BisectBatchOnFunctionError     *bool
	FilterCriteria                 *filterCriteria
	DestinationConfig              *struct {
		OnFailure, OnSuccess *struct{ Destination string }
	}
	KMSKeyArn               *string
	MetricsConfig           *metricsConfig
	ProvisionedPollerConfig *struct{ MinimumPollers, MaximumPollers *int }
}

func (s *mappingSettings) check(operation string) error {
	var c constraints
	c.within(s.BatchSize, "batchSize", 1, 10000)
	c.within(s.MaximumBatchingWindowInSeconds, "maximumBatchingWindowInSeconds", 0, 300)
	c.within(s.MaximumRecordAgeInSeconds, "maximumRecordAgeInSeconds", -1, 604800)
	c.within(s.MaximumRetryAttempts, "maximumRetryAttempts", -1, 10000)
	c.within(s.ParallelizationFactor, "parallelizationFactor", 1, 10)
	c.within(s.TumblingWindowInSeconds, "tumblingWindowInSeconds", 0, 900)
	if s.FunctionResponseTypes != nil {
		for _, t := range *s.FunctionResponseTypes {
			c.need(t == reportBatchItemFailures, "functionResponseTypes", t, "satisfy enum value set: [ReportBatchItemFailures]")
		}
	}
	if arn := s.onFailure(); arn != nil {
		c.need(anyARN.MatchString(*arn), "destinationConfig.onFailure.destination", *arn, "satisfy regular expression pattern: "+strings.ReplaceAll(anyARN.String(), "^arn", "arn"))
	}
	if s.KMSKeyArn != nil {
		c.need(optionalARN.MatchString(*s.KMSKeyArn), "kMSKeyArn", *s.KMSKeyArn, optionalARNRule)
	}
	if s.FilterCriteria != nil {
		for i, f := range s.FilterCriteria.Filters {
			c.need(utf8.RuneCountInString(f.Pattern) <= esm.MaxFilter, fmt.Sprintf("filterCriteria.filters.%d.member.pattern", i+1), f.Pattern,
				fmt.Sprintf("have length less than or equal to %d", esm.MaxFilter))
		}
	}
	if s.MetricsConfig != nil {
		for _, m := range s.MetricsConfig.Metrics {
			c.need(slices.Contains([]string{eventCount, "ErrorCount", "KafkaMetrics"}, m), "metricsConfig.metrics", m, "satisfy enum value set: [EventCount, ErrorCount, KafkaMetrics]")
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	if age := value(s.MaximumRecordAgeInSeconds, -1); age >= 0 && age < 60 {
		return invalid("MaximumRecordAgeInSeconds is -1 or from 60 to 604800, not %d", age)
	}
	if arn := value(s.onFailure(), ""); arn != "" && !destinationARN.MatchString(arn) {
		return invalid("The destination ARN %s is invalid.", arn)
	}
	if s.MetricsConfig != nil && slices.ContainsFunc(s.MetricsConfig.Metrics, func(m string) bool { return m != eventCount }) {
		return invalid("A DynamoDB stream has the metrics EventCount alone, not %s.", strings.Join(s.MetricsConfig.Metrics, ", "))
	}
	return notEmulated(operation, map[string]bool{
		"OnSuccess":               s.DestinationConfig != nil && s.DestinationConfig.OnSuccess != nil && s.DestinationConfig.OnSuccess.Destination != "",
		"ProvisionedPollerConfig": s.ProvisionedPollerConfig != nil && *s.ProvisionedPollerConfig != struct{ MinimumPollers, MaximumPollers *int }{},
	})
}

// together refuses what does not go together. Windows are the shard's, and lanes would each have their own state.
func together(c esm.Config) error {
	if c.TumblingWindowInSeconds > 0 && c.ParallelizationFactor > 1 {
		return invalid("With TumblingWindowInSeconds, ParallelizationFactor must be 1, not %d.", c.ParallelizationFactor)
	}
	return nil
}

var (
	anyARN = regexp.MustCompile(`^$|^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	// destinationARN takes standard queues and topics, and buckets.
	// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html#services-dynamodb-failed-invocation
	destinationARN = arnOf(reportTarget)
)

// onFailure is the destination that the caller sets; nil when none is said.
func (s *mappingSettings) onFailure() *string {
	if s.DestinationConfig == nil {
		return nil
	}
	if on := s.DestinationConfig.OnFailure; on != nil {
		return &on.Destination
	}
	return new(string)
}

func (s *mappingSettings) apply(c *esm.Config) {
	c.Enabled = value(s.Enabled, c.Enabled)
	c.BatchSize = value(s.BatchSize, c.BatchSize)
	c.MaximumBatchingWindowInSeconds = value(s.MaximumBatchingWindowInSeconds, c.MaximumBatchingWindowInSeconds)
	c.MaximumRecordAgeInSeconds = value(s.MaximumRecordAgeInSeconds, c.MaximumRecordAgeInSeconds)
	c.MaximumRetryAttempts = value(s.MaximumRetryAttempts, c.MaximumRetryAttempts)
	c.BisectBatchOnFunctionError = value(s.BisectBatchOnFunctionError, c.BisectBatchOnFunctionError)
	c.OnFailure = value(s.onFailure(), c.OnFailure)
	c.ParallelizationFactor = value(s.ParallelizationFactor, c.ParallelizationFactor)
	c.TumblingWindowInSeconds = value(s.TumblingWindowInSeconds, c.TumblingWindowInSeconds)
	c.KMSKeyARN = value(s.KMSKeyArn, c.KMSKeyARN)
	if s.MetricsConfig != nil {
		c.EventCount = len(s.MetricsConfig.Metrics) > 0
	}
	if s.FilterCriteria != nil {
		c.Filters = nil
		for _, f := range s.FilterCriteria.Filters {
			c.Filters = append(c.Filters, f.Pattern)
		}
	}
	if s.FunctionResponseTypes != nil {
		c.ReportBatchItemFailures = slices.Contains(*s.FunctionResponseTypes, reportBatchItemFailures)
	}
}

// target gives the ARN of the function that a mapping is to invoke, with the qualifier if the caller gave one.
func (a *api) target(name string) (string, error) {
	ref, err := a.functions.Parse(name)
	if err != nil {
		return "", err
	}
	f, err := a.functions.Get(ref)
	if err != nil {
		return "", invalid("Function does not exist")
	}
	if ref.Qualifier != "" {
		return f.ARN + ":" + ref.Qualifier, nil
	}
	return f.ARN, nil
}

type createMappingInput struct {
	mappingSettings
	EventSourceArn            *string
	StartingPosition          *string
	StartingPositionTimestamp *float64
	Tags                      map[string]string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func (a *api) createMapping(r *http.Request) (wire.Response, error) {
	const operation = "CreateEventSourceMapping"
	in, err := decode[createMappingInput](r, operation)
	if err != nil {
		return wire.Response{}, err
	}
	if err := in.check(operation); err != nil {
		return wire.Response{}, err
	}
	stream, err := in.source()
	if err != nil {
		return wire.Response{}, err
	}
	if err := checkTags(in.Tags, nil); err != nil {
		return wire.Response{}, err
	}
	function, err := a.target(*in.FunctionName)
	if err != nil {
		return wire.Response{}, err
	}
	config := esm.Config{
		StreamARN: stream, StartingPosition: *in.StartingPosition, FunctionARN: function, Enabled: true, BatchSize: 100,
		MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: -1, ParallelizationFactor: 1,
	}
	in.apply(&config)
	if err := together(config); err != nil {
		return wire.Response{}, err
	}
	m, err := a.mappings.Create(config, in.Tags)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusAccepted, Body: mappingOf(m)}, nil
}

// source checks from where a new mapping is to read, and gives the stream's ARN.
func (in *createMappingInput) source() (string, error) {
	var c constraints
	c.present(in.FunctionName != nil, "functionName")
	if p := in.StartingPosition; p != nil {
		c.need(slices.Contains([]string{"LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"}, *p), "startingPosition", *p,
			"satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")
	}
	if err := c.err(); err != nil {
		return "", err
	}
	arn := value(in.EventSourceArn, "")
	switch {
	case arn == "":
		return "", invalid("Unrecognized event source.")
	case !strings.HasPrefix(arn, "arn:aws:dynamodb:") || !strings.Contains(arn, "/stream/"):
		return "", wire.NotEmulated(fmt.Sprintf("event source %s of CreateEventSourceMapping: it knows DynamoDB streams", arn))
	case in.StartingPosition == nil:
		return "", invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	case *in.StartingPosition == "AT_TIMESTAMP" || in.StartingPositionTimestamp != nil:
		return "", invalid("Unsupported starting position for arn type: %s", arn)
	}
	return arn, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
func (a *api) getMapping(r *http.Request) (wire.Response, error) {
	m, err := a.mappings.Get(r.PathValue("uuid"))
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: mappingOf(m)}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
func (a *api) updateMapping(r *http.Request) (wire.Response, error) {
	const operation = "UpdateEventSourceMapping"
	id := r.PathValue("uuid")
	if _, err := a.mappings.Get(id); err != nil {
		return wire.Response{}, err
	}
	in, err := decode[mappingSettings](r, operation)
	if err != nil {
		return wire.Response{}, err
	}
	if err := in.check(operation); err != nil {
		return wire.Response{}, err
	}
	function := ""
	if in.FunctionName != nil {
		if function, err = a.target(*in.FunctionName); err != nil {
			return wire.Response{}, err
		}
	}
	m, err := a.mappings.Update(id, func(c *esm.Config) error {
		in.apply(c)
		if function != "" {
			c.FunctionARN = function
		}
		return together(*c)
	})
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusAccepted, Body: mappingOf(m)}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html
func (a *api) deleteMapping(r *http.Request) (wire.Response, error) {
	m, err := a.mappings.Delete(r.PathValue("uuid"))
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusAccepted, Body: mappingOf(m)}, nil
}

type listMappingsOutput struct {
	EventSourceMappings []*mappingConfiguration
	NextMarker          string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
func (a *api) listMappings(r *http.Request) (wire.Response, error) {
	all := a.mappings.List()
	if arn := r.URL.Query().Get("EventSourceArn"); arn != "" {
		all = slices.DeleteFunc(all, func(m esm.Mapping) bool { return m.StreamARN != arn })
	}
	if name := r.URL.Query().Get("FunctionName"); name != "" {
		want, err := a.functions.Parse(name)
		if err != nil {
			return wire.Response{}, err
		}
		all = slices.DeleteFunc(all, func(m esm.Mapping) bool {
			got, err := a.functions.Parse(m.FunctionARN)
			return err != nil || got != want
		})
	}
	page, next, err := paginate(r, all, 100)
	if err != nil {
		return wire.Response{}, err
	}
	out := listMappingsOutput{EventSourceMappings: []*mappingConfiguration{}, NextMarker: next}
	for _, m := range page {
		out.EventSourceMappings = append(out.EventSourceMappings, mappingOf(m))
	}
	return wire.Response{Body: out}, nil
}

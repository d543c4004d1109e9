package lambda

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type environment struct {
	Variables map[string]string
}

type tracingConfig struct{ Mode string }

type ephemeralStorage struct{ Size int }

type snapStart struct {
	ApplyOn            string
	OptimizationStatus string
}

type loggingConfig struct {
	LogFormat, LogGroup string
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
}

type deadLetterConfig struct{ TargetArn string }

type vpcConfig struct {
	SubnetIds, SecurityGroupIds []string
	VpcId                       string
	Ipv6AllowedForDualStack     bool
}

type functionLayer struct {
	Arn      string
	CodeSize int64
}

// vpcID is the network that every function with a VpcConfig is said to be in: the local stack has none.
const vpcID = "vpc-00000000000000000"

// functionConfiguration is a function as the API shows it.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
type functionConfiguration struct {
	FunctionName, FunctionArn, Runtime, Role, Handler string
	CodeSize                                          int64
	Description                                       string
	Timeout, MemorySize                               int
	LastModified, CodeSha256, Version                 string
	Environment                                       *environment `json:",omitempty"`
	TracingConfig                                     tracingConfig
	RevisionId                                        string
	State                                             string `json:",omitempty"`
	StateReason                                       string `json:",omitempty"`
	StateReasonCode                                   string `json:",omitempty"`
	LastUpdateStatus                                  string `json:",omitempty"`
	LastUpdateStatusReason                            string `json:",omitempty"`
	LastUpdateStatusReasonCode                        string `json:",omitempty"`
	PackageType                                       string
	Architectures                                     []string
	EphemeralStorage                                  ephemeralStorage
	SnapStart                                         snapStart
	LoggingConfig                                     loggingConfig
	DeadLetterConfig                                  *deadLetterConfig `json:",omitempty"`
	KMSKeyArn                                         string            `json:",omitempty"`
	VpcConfig                                         *vpcConfig        `json:",omitempty"`
	Layers                                            []functionLayer   `json:",omitempty"`
}

// configurationOf shows a function that was asked for with a qualifier or, "", without.
func configurationOf(f host.Function, qualifier string) *functionConfiguration {
	c := &functionConfiguration{
		FunctionName: f.Name, FunctionArn: f.ARN, Runtime: f.Runtime, Role: f.Role, Handler: f.Handler, CodeSize: f.CodeSize,
		Description: f.Description, Timeout: int(f.Timeout / time.Second), MemorySize: f.MemorySize,
		LastModified: f.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000"), CodeSha256: f.CodeSHA256, Version: f.Version,
		TracingConfig: tracingConfig{cmp.Or(f.Tracing, "PassThrough")}, RevisionId: f.RevisionID, State: "Active", LastUpdateStatus: "Successful",
		PackageType: "Zip", Architectures: []string{f.Architecture}, EphemeralStorage: ephemeralStorage{cmp.Or(f.EphemeralStorage, 512)},
		SnapStart: snapStart{"None", "Off"}, LoggingConfig: loggingConfig{LogFormat: cmp.Or(f.LogFormat, "Text"), LogGroup: f.LogGroup},
		KMSKeyArn: f.KMSKeyARN,
	}
	if f.LogFormat == host.JSON {
		c.LoggingConfig.ApplicationLogLevel, c.LoggingConfig.SystemLogLevel = cmp.Or(f.ApplicationLogLevel, "INFO"), cmp.Or(f.SystemLogLevel, "INFO")
	}
	if f.DeadLetterARN != "" {
		c.DeadLetterConfig = &deadLetterConfig{f.DeadLetterARN}
	}
	if v := f.VPC; v != nil {
		c.VpcConfig = &vpcConfig{v.Subnets, v.SecurityGroups, vpcID, v.IPv6}
	}
	for _, l := range f.Layers {
		c.Layers = append(c.Layers, functionLayer{l.ARN, l.CodeSize})
	}
	if qualifier != "" {
		c.FunctionArn += ":" + qualifier
	}
	if len(f.Environment) > 0 {
		c.Environment = &environment{f.Environment}
	}
	return c
}

// settings are the members that CreateFunction and UpdateFunctionConfiguration share. Those that are not emulated are here for
// the sake of clients that send their defaults.
type settings struct {
	Description       *string
	Handler           *string
	Role              *string
	Runtime           *string
	Timeout           *int
	MemorySize        *int
	Environment       *environment
	LoggingConfig     *loggingInput
	TracingConfig     *tracingConfig
	EphemeralStorage  *ephemeralStorage
	SnapStart         *struct{ ApplyOn string }
	DeadLetterConfig  *deadLetterConfig
	VpcConfig         *vpcInput
	Layers            []string
	KMSKeyArn         *string
	FileSystemConfigs []struct {
		Arn, LocalMountPath string
	}
}

type loggingInput struct{ LogFormat, LogGroup, ApplicationLogLevel, SystemLogLevel string }

type vpcInput struct {
	SubnetIds, SecurityGroupIds []string
	Ipv6AllowedForDualStack     bool
}

// anyResource is an ARN as Lambda's model has it where any service will do; optionalARNRule words that it may be left empty.
const (
	anyResource     = `arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*`
	optionalARNRule = "satisfy regular expression pattern: (" + anyResource + ")|()"
)

var (
	rolePattern     = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)
	handlerPattern  = regexp.MustCompile(`^\S{1,128}$`)
	logGroupPattern = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	keyPattern      = regexp.MustCompile(`^` + anyResource + `$`)
	optionalARN     = regexp.MustCompile(`^(` + anyResource + `|)$`)
	envKeyPattern   = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_])+$`)
)

// maxEnvironment is how large a function's variables may be together, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxEnvironment = 4 << 10

// check refuses what is wrong or not emulated in the settings that were given.
func (s *settings) check(operation string) error {
	var c constraints
	c.within(s.Timeout, "timeout", 1, 900)
	c.within(s.MemorySize, "memorySize", 128, 10240)
	if s.Role != nil {
		c.need(rolePattern.MatchString(*s.Role), "role", *s.Role, "satisfy regular expression pattern: "+rolePattern.String())
	}
	if s.Handler != nil {
		c.need(handlerPattern.MatchString(*s.Handler), "handler", *s.Handler, "satisfy regular expression pattern: [^\\s]+, of at most 128 characters")
	}
	if s.Description != nil {
		c.need(utf8.RuneCountInString(*s.Description) <= 256, "description", *s.Description, "have length less than or equal to 256")
	}
	if s.LoggingConfig != nil && s.LoggingConfig.LogGroup != "" {
		g := s.LoggingConfig.LogGroup
		c.need(logGroupPattern.MatchString(g), "loggingConfig.logGroup", g, "satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+, of at most 512 characters")
	}
	log := value(s.LoggingConfig, loggingInput{})
	c.oneOf(log.LogFormat, "loggingConfig.logFormat", "JSON", "Text")
	c.oneOf(log.ApplicationLogLevel, "loggingConfig.applicationLogLevel", host.LogLevels()...)
	c.oneOf(log.SystemLogLevel, "loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN")
	if s.TracingConfig != nil {
		c.oneOf(s.TracingConfig.Mode, "tracingConfig.mode", "Active", "PassThrough")
	}
	if s.EphemeralStorage != nil {
		c.within(&s.EphemeralStorage.Size, "ephemeralStorage.size", 512, 10240)
	}
	if k := value(s.KMSKeyArn, ""); k != "" {
		c.need(keyPattern.MatchString(k), "kMSKeyArn", k, "satisfy regular expression pattern: "+keyPattern.String())
	}
	if d := s.DeadLetterConfig; d != nil {
		c.need(optionalARN.MatchString(d.TargetArn), "deadLetterConfig.targetArn", d.TargetArn, optionalARNRule)
	}
	if err := c.err(); err != nil {
		return err
	}
	if len(s.Layers) > host.MaxLayers {
		return invalid("Cannot reference more than %d layers.", host.MaxLayers)
	}
	if v := s.VpcConfig; v != nil && (len(v.SubnetIds) == 0) != (len(v.SecurityGroupIds) == 0) {
		return invalid("SecurityGroupIds and SubnetIds must coexist or be both empty list.")
	}
	if d := s.DeadLetterConfig; d != nil && d.TargetArn != "" && !deadLetterARN.MatchString(d.TargetArn) {
		return invalid("The dead-letter target ARN %s is invalid: it is that of a standard queue or topic.", d.TargetArn)
	}
	if err := s.checkEmulated(operation); err != nil {
		return err
	}
	return checkEnvironment(s.Environment)
}

func (s *settings) checkEmulated(operation string) error {
	if r := value(s.Runtime, "provided.al2023"); r != "provided.al2023" && r != "provided.al2" {
		return wire.NotEmulated("Runtime " + r + " of " + operation + ": it runs provided.al2023 and provided.al2")
	}
	return notEmulated(operation, map[string]bool{
		"SnapStart":         s.SnapStart != nil && s.SnapStart.ApplyOn != "None",
		"FileSystemConfigs": len(s.FileSystemConfigs) > 0,
	})
}

// checkLogLevels refuses levels without the format that has them.
// https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
func checkLogLevels(c *host.Config) error {
	if c.LogFormat != host.JSON && (c.ApplicationLogLevel != "" || c.SystemLogLevel != "") {
		return invalid("ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON.")
	}
	return nil
}

func checkEnvironment(e *environment) error {
	if e == nil {
		return nil
	}
	var reserved []string
	size := 0
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		switch {
		case host.ReservedKey(name):
			reserved = append(reserved, name)
		case !envKeyPattern.MatchString(name):
			return invalid("The name %q of an environment variable does not satisfy the pattern [a-zA-Z]([a-zA-Z0-9_])+", name)
		case strings.Contains(e.Variables[name], "\x00"):
			return invalid("The environment variable %s holds a zero byte", name)
		}
		size += len(name) + len(e.Variables[name])
	}
	if len(reserved) > 0 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if size > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. They have %d bytes", size)
	}
	return nil
}

// apply changes what was given.
func (s *settings) apply(c *host.Config) {
	c.Description = value(s.Description, c.Description)
	c.Handler = value(s.Handler, c.Handler)
	c.Role = value(s.Role, c.Role)
	c.Runtime = value(s.Runtime, c.Runtime)
	c.MemorySize = value(s.MemorySize, c.MemorySize)
	if s.Timeout != nil {
		c.Timeout = time.Duration(*s.Timeout) * time.Second
	}
	if s.Environment != nil {
		c.Environment = s.Environment.Variables
	}
	if s.LoggingConfig != nil {
		if c.LogGroup = s.LoggingConfig.LogGroup; c.LogGroup == "" {
			c.LogGroup = "/aws/lambda/" + c.Name
		}
		if format := s.LoggingConfig.LogFormat; format != "" && format != c.LogFormat {
			c.LogFormat, c.ApplicationLogLevel, c.SystemLogLevel = format, "", ""
		}
		c.ApplicationLogLevel = cmp.Or(s.LoggingConfig.ApplicationLogLevel, c.ApplicationLogLevel)
		c.SystemLogLevel = cmp.Or(s.LoggingConfig.SystemLogLevel, c.SystemLogLevel)
	}
	if s.TracingConfig != nil {
		c.Tracing = s.TracingConfig.Mode
	}
	if s.EphemeralStorage != nil {
		c.EphemeralStorage = s.EphemeralStorage.Size
	}
	c.KMSKeyARN = value(s.KMSKeyArn, c.KMSKeyARN)
	if s.DeadLetterConfig != nil {
		c.DeadLetterARN = s.DeadLetterConfig.TargetArn
	}
	if v := s.VpcConfig; v != nil {
		if c.VPC = nil; len(v.SubnetIds) > 0 {
			c.VPC = &host.VPC{Subnets: v.SubnetIds, SecurityGroups: v.SecurityGroupIds, IPv6: v.Ipv6AllowedForDualStack}
		}
	}
}

// architecture gives the one that a request names, or otherwise.
func architecture(given []string, otherwise string) (string, error) {
	switch {
	case len(given) == 0:
		return otherwise, nil
	case len(given) > 1 || given[0] != "x86_64" && given[0] != "arm64":
		return "", wire.Errorf("ValidationException", "1 validation error detected: Value '[%s]' at 'architectures' failed to satisfy constraint: "+
			"Member must have length less than or equal to 1 and satisfy enum value set: [x86_64, arm64]", strings.Join(given, ", "))
	}
	return given[0], nil
}

package semantics

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func functionVariables(d functionDescription) map[string]string {
	variables := map[string]string{}
	for _, pair := range d.Env {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	return variables
}

// TestFunctionEnvironment is what a process finds when it starts: these variables and no others.
func TestFunctionEnvironment(t *testing.T) {
	if _, err := functionPackage(); err != nil { // which needs the developer's HOME
		t.Fatal(err)
	}
	t.Setenv("STREAMGEN_OF_A_DEVELOPER", "secret")
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("HOME", t.TempDir())
	s := newFunctionStand(t)
	s.create(func(in *lambda.CreateFunctionInput) {
		in.MemorySize = aws.Int32(256)
		in.Environment = &lambdatypes.Environment{Variables: map[string]string{"OWN": "a=b", "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR"}}
	})
	d := s.describe()
	got := functionVariables(d)
	folder := got["LAMBDA_TASK_ROOT"]
	root := regexp.QuoteMeta(folder)
	rows := map[string]string{ // regular expressions
		"_HANDLER":                        `some\.handler`,
		"AWS_LAMBDA_RUNTIME_API":          `127\.0\.0\.1:\d+`,
		"AWS_LAMBDA_FUNCTION_NAME":        functionName,
		"AWS_LAMBDA_FUNCTION_VERSION":     `\$LATEST`,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": `256`,
		"AWS_LAMBDA_LOG_GROUP_NAME":       `/aws/lambda/worker`,
		"AWS_LAMBDA_LOG_STREAM_NAME":      `2026/11/23/\[\$LATEST\][0-9a-f]{32}`,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  `on-demand`,
		"AWS_REGION":                      `us-east-1`,
		"AWS_DEFAULT_REGION":              `us-east-1`,
		"AWS_ACCESS_KEY_ID":               `ASIA[A-Z0-9]+`,
		"AWS_SECRET_ACCESS_KEY":           `.+`,
		"AWS_SESSION_TOKEN":               `.+`,
		"LAMBDA_TASK_ROOT":                `.+`,
		"LAMBDA_RUNTIME_DIR":              `/var/runtime`,
		"TZ":                              `:UTC`,
		"LANG":                            `en_US\.UTF-8`,
		"PATH":                            `/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin`,
		"LD_LIBRARY_PATH":                 `/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:` + root + ":" + root + `/lib:/opt/lib`,
		"AWS_XRAY_CONTEXT_MISSING":        `IGNORE_ERROR`, // no reserved key: the function's own counts
		"AWS_XRAY_DAEMON_ADDRESS":         `169\.254\.100\.1:2000`,
		"_AWS_XRAY_DAEMON_ADDRESS":        `169\.254\.100\.1`,
		"_AWS_XRAY_DAEMON_PORT":           `2000`,
		"OWN":                             `a=b`,

		// The stack's own: the function's SDK calls reach it, and no file of the developer's says otherwise.
		"AWS_ENDPOINT_URL":            regexp.QuoteMeta(s.stack.Endpoint()),
		"AWS_CONFIG_FILE":             regexp.QuoteMeta(os.DevNull),
		"AWS_SHARED_CREDENTIALS_FILE": regexp.QuoteMeta(os.DevNull),
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) {
			value, there := got[name]
			if !there || !regexp.MustCompile(`^(?:`+rows[name]+`)$`).MatchString(value) {
				t.Errorf("it is %q (there: %v), want %s", value, there, rows[name])
			}
			delete(got, name)
		})
	}
	for _, row := range []string{
		"no AWS_EXECUTION_ENV", "no STREAMGEN_OF_A_DEVELOPER", "no AWS_PROFILE", "no HOME", "no AWS_LAMBDA_LOG_FORMAT", "no AWS_LAMBDA_LOG_LEVEL", "no _X_AMZN_TRACE_ID",
	} {
		t.Run(row, func(t *testing.T) {
			if value, there := got[strings.TrimPrefix(row, "no ")]; there {
				t.Errorf("it is %q", value)
			}
		})
	}
	t.Run("nothing else", func(t *testing.T) {
		if len(got) > 0 {
			t.Errorf("there are %v", got)
		}
	})
	t.Run("_X_AMZN_TRACE_ID is set by the Lambda library", func(t *testing.T) {
		if !strings.HasPrefix(d.Trace, "Root=1-") {
			t.Errorf("it is %q", d.Trace)
		}
	})
	t.Run("the working directory is the package", func(t *testing.T) {
		real, err := filepath.EvalSymlinks(folder)
		if err != nil || len(d.Args) != 1 || filepath.Dir(d.Args[0]) != folder || d.Dir != folder && d.Dir != real {
			t.Errorf("%q in %s, of %s, %v", d.Args, d.Dir, folder, err)
		}
	})
	t.Run("a version's number", func(t *testing.T) {
		s.publishLive()
		v := functionVariables(s.describe(func(in *lambda.InvokeInput) { in.Qualifier = aws.String("live") }))
		if v["AWS_LAMBDA_FUNCTION_VERSION"] != "1" || !strings.HasPrefix(v["AWS_LAMBDA_LOG_STREAM_NAME"], "2026/11/23/[1]") {
			t.Errorf("%s, %s", v["AWS_LAMBDA_FUNCTION_VERSION"], v["AWS_LAMBDA_LOG_STREAM_NAME"])
		}
	})
	t.Run("the log group that the function has", func(t *testing.T) {
		s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
			in.LoggingConfig = &lambdatypes.LoggingConfig{LogGroup: aws.String("/own")}
		})
		if v := functionVariables(s.describe()); v["AWS_LAMBDA_LOG_GROUP_NAME"] != "/own" {
			t.Errorf("it is %s", v["AWS_LAMBDA_LOG_GROUP_NAME"])
		}
	})
	for _, row := range []struct {
		name, format string
		level        lambdatypes.ApplicationLogLevel
		want         [2]string
	}{
		{"JSON logs", "JSON", "", [2]string{"JSON", "INFO"}},
		{"JSON logs with a level", "JSON", lambdatypes.ApplicationLogLevelDebug, [2]string{"JSON", "DEBUG"}},
		{"text logs again", "Text", "", [2]string{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
				in.LoggingConfig = &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormat(row.format), ApplicationLogLevel: row.level}
			})
			v := functionVariables(s.describe())
			if got := [2]string{v["AWS_LAMBDA_LOG_FORMAT"], v["AWS_LAMBDA_LOG_LEVEL"]}; got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestFunctionReservedVariables: a function cannot set what is Lambda's.
func TestFunctionReservedVariables(t *testing.T) {
	s := newFunctionStand(t)
	for _, name := range []string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.lambda.CreateFunction(t.Context(), s.functionInput(func(in *lambda.CreateFunctionInput) {
				in.Code = &lambdatypes.FunctionCode{ZipFile: []byte("not looked at")}
				in.Environment = &lambdatypes.Environment{Variables: map[string]string{name: "x", "OWN": "x"}}
			}))
			s.refused(t, err, 400, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided "+
				"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "+name)
		})
	}
	for _, row := range []struct{ name, variable, value, message string }{
		{"more than 4 KB", "OWN", strings.Repeat("x", 4096-len("OWN")+1), "exceeded the 4KB limit"},
		{"a name that begins with a digit", "1OWN", "x", "does not satisfy the pattern"},
		{"a name of one letter", "O", "x", "does not satisfy the pattern"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := s.lambda.CreateFunction(t.Context(), s.functionInput(func(in *lambda.CreateFunctionInput) {
				in.Code = &lambdatypes.FunctionCode{ZipFile: []byte("not looked at")}
				in.Environment = &lambdatypes.Environment{Variables: map[string]string{row.variable: row.value}}
			}))
			s.refused(t, err, 400, "InvalidParameterValueException", row.message)
		})
	}
	t.Run("4 KB", func(t *testing.T) {
		s.create(func(in *lambda.CreateFunctionInput) {
			in.Environment = &lambdatypes.Environment{Variables: map[string]string{"OWN": strings.Repeat("x", 4096-len("OWN"))}}
		})
		if v := functionVariables(s.describe()); len(v["OWN"]) != 4096-len("OWN") {
			t.Errorf("it has %d bytes", len(v["OWN"]))
		}
	})
}

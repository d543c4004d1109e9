package host

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// environment is the whole environment of a process, in the form of os.Environ. Nothing of the stack's own gets in, nor do
// the AWS files of whoever runs it: AWS SDKs find them without HOME too, and a profile there may even turn off AWS_ENDPOINT_URL.
// LAMBDA_TASK_ROOT is the folder of the code, which is /var/task on AWS; PATH and LD_LIBRARY_PATH have the folder of the layers, which
// is /opt there.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (r *revision) environment(logStream, runtimeAPI string) []string {
	h, f, dir, opt := r.host, r.function, r.code.dir, "/opt"
	if r.layers != nil {
		opt = r.layers.dir
	}
	credentials := h.opts.Credentials(f)
	env := map[string]string{
		"AWS_ACCESS_KEY_ID":               credentials.AccessKeyID,
		"AWS_CONFIG_FILE":                 os.DevNull,
		"AWS_SECRET_ACCESS_KEY":           credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               credentials.SessionToken,
		"AWS_SHARED_CREDENTIALS_FILE":     os.DevNull,
		"AWS_DEFAULT_REGION":              h.opts.Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemorySize),
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     f.Version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       f.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"AWS_REGION":                      h.opts.Region,
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         "169.254.100.1:2000",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                dir,
		"LANG":                            "en_US.UTF-8",
		"LD_LIBRARY_PATH":                 "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + dir + ":" + dir + "/lib:" + opt + "/lib",
		"PATH":                            "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:" + opt + "/bin",
		"TZ":                              ":UTC",
		"_AWS_XRAY_DAEMON_ADDRESS":        "169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"_HANDLER":                        f.Handler,
	}
	if h.opts.Endpoint != nil {
		if url := h.opts.Endpoint(); url != "" {
			env["AWS_ENDPOINT_URL"] = url
		}
	}
	if f.LogFormat == JSON {
		env["AWS_LAMBDA_LOG_FORMAT"], env["AWS_LAMBDA_LOG_LEVEL"] = JSON, f.applicationLevel()
	}
	for name, value := range f.Environment {
		env[name] = value
	}
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// ReservedKey says whether a function's environment may not hold the variable.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func ReservedKey(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	for _, prefix := range []string{
		"AWS_LAMBDA_FUNCTION_", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_", "AWS_LAMBDA_RUNTIME_API",
		"AWS_LAMBDA_METADATA_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

package tf

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// loopback is what no proxy may stand before.
const loopback = "localhost,127.0.0.1,::1"

// LocalEnvironment makes from base, a list as [os.Environ] gives it, the environment in which
// terraform applies an unmodified configuration to a local stack. Nothing that steers terraform or
// the AWS provider is taken from base: credentials are dummies, the metadata service and shared
// configuration files are off, and every request goes to endpoint. fast takes the AWS provider's
// waits away through its replay switch, an undocumented hook of the released provider; the stack
// must then reach target states at once. cliConfig is a file that [WriteCLIConfig] wrote.
func LocalEnvironment(base []string, endpoint, region string, fast bool, cliConfig string) map[string]string {
	env, _ := filtered(base, func(name string) bool {
		return hasPrefix(name, "TF_", "TOFU_", "OPENTOFU_", "TERRAFORM", "AWS_", "VCR_", "CHECKPOINT_")
	})
	noProxy := env["NO_PROXY"]
	if noProxy == "" {
		noProxy = env["no_proxy"]
	}
	delete(env, "no_proxy")
	delete(env, "http_proxy")
	env["NO_PROXY"] = strings.TrimPrefix(noProxy+","+loopback, ",")
	maps.Copy(env, map[string]string{
		"AWS_ENDPOINT_URL": endpoint,
		// The client of S3 Control, in which the provider reads buckets' tags, puts the account before the endpoint's host, and nobody
		// resolves that name: the stack is the proxy of what is not encrypted.
		"HTTP_PROXY":                  endpoint,
		"AWS_ACCESS_KEY_ID":           "streamgen",
		"AWS_SECRET_ACCESS_KEY":       "streamgen",
		"AWS_REGION":                  region,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"CHECKPOINT_DISABLE":          "1",
		"TF_CLI_CONFIG_FILE":          cliConfig,
	})
	if fast {
		env["VCR_MODE"] = "REPLAY_ONLY"
		env["VCR_PATH"] = "streamgen" // any value; nothing is read or written there
	}
	return env
}

// CloudEnvironment makes from base the environment in which terraform works on AWS. The user's
// AWS_ settings, values for variables (TF_VAR_), plug-in cache and CLI configuration file stay, and
// what OpenTofu shall encrypt (TF_ENCRYPTION). Variables that would change how this package runs
// terraform are left out and named in dropped, sorted: default arguments, the workspace, the data
// folder, logs, attached providers, OpenTofu's experiments (TOFU_X_) and profile, and the provider's
// replay switch, which takes away waits that AWS needs.
func CloudEnvironment(base []string) (env map[string]string, dropped []string) {
	env, dropped = filtered(base, func(name string) bool {
		return hasPrefix(name, "TF_CLI_ARGS", "TF_LOG", "TOFU_", "VCR_") || slices.Contains(owned, name)
	})
	env["CHECKPOINT_DISABLE"] = "1"
	return env, dropped
}

var owned = []string{
	"TF_APPEND_USER_AGENT", "TF_DATA_DIR", "TF_DISABLE_PLUGIN_TLS", "TF_INPUT", "TF_IN_AUTOMATION",
	"TF_REATTACH_PROVIDERS", "TF_SKIP_PROVIDER_VERIFY", "TF_WORKSPACE",
}

// filtered makes a map of base without the variables whose upper-case name drop chooses.
func filtered(base []string, drop func(name string) bool) (env map[string]string, dropped []string) {
	env = map[string]string{}
	for _, kv := range base {
		name, value, ok := strings.Cut(kv, "=")
		switch {
		case !ok || name == "": // Windows keeps the folders of its drives in variables like "=C:"
		case drop(strings.ToUpper(name)):
			dropped = append(dropped, name)
		default:
			env[name] = value
		}
	}
	slices.Sort(dropped)
	return env, slices.Compact(dropped)
}

// environ makes a list of a map, in a stable order.
func environ(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func hasPrefix(name string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

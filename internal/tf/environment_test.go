package tf

import (
	"os"
	"reflect"
	"slices"
	"testing"
)

var inheritedEnv = []string{
	"PATH=/bin", "HOME=/home/me", "EMPTY=", "EQUALS=a=b", "=C:=C:\\", "no_proxy=corp.invalid", "HTTPS_PROXY=http://proxy.invalid",
	"TF_VAR_region=eu-west-1", "TF_CLI_ARGS=-destroy", "TF_CLI_ARGS_apply=-auto-approve", "TF_WORKSPACE=other", "TF_DATA_DIR=/data",
	"TF_LOG=TRACE", "TF_LOG_PATH=/log", "TF_INPUT=1", "TF_REATTACH_PROVIDERS={}", "TF_CLI_CONFIG_FILE=/rc", "TF_PLUGIN_CACHE_DIR=/cache",
	"TF_ENCRYPTION=key", "TOFU_CPU_PROFILE=/profile", "TOFU_X_EXPERIMENTAL_RUNTIME=1", "OPENTOFU_ENFORCE_GPG_VALIDATION=1",
	"TERRAFORM_CONFIG=/old", "CHECKPOINT_TIMEOUT=1", "VCR_MODE=RECORD", "VCR_PATH=/tapes",
	"AWS_PROFILE=prod", "AWS_ACCESS_KEY_ID=AKIA", "AWS_SESSION_TOKEN=t", "AWS_ENDPOINT_URL_DYNAMODB=http://other", "AWS_CA_BUNDLE=/ca",
	"aws_region=lower",
}

func TestLocalEnvironment(t *testing.T) {
	want := map[string]string{
		"PATH": "/bin", "HOME": "/home/me", "EMPTY": "", "EQUALS": "a=b", "HTTPS_PROXY": "http://proxy.invalid",
		"NO_PROXY":         "corp.invalid,localhost,127.0.0.1,::1",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "HTTP_PROXY": "http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID": "streamgen", "AWS_SECRET_ACCESS_KEY": "streamgen",
		"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/w/terraform.rc",
	}
	if got := LocalEnvironment(inheritedEnv, "http://127.0.0.1:4566", "us-east-1", false, "/w/terraform.rc"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	want["VCR_MODE"], want["VCR_PATH"] = "REPLAY_ONLY", "streamgen"
	if got := LocalEnvironment(inheritedEnv, "http://127.0.0.1:4566", "us-east-1", true, "/w/terraform.rc"); !reflect.DeepEqual(got, want) {
		t.Errorf("fast: got  %v\nwant %v", got, want)
	}
	if got := LocalEnvironment(nil, "e", "r", false, "c")["NO_PROXY"]; got != loopback {
		t.Errorf("NO_PROXY is %q without one to begin with", got)
	}
}

func TestCloudEnvironment(t *testing.T) {
	env, dropped := CloudEnvironment(inheritedEnv)
	want := map[string]string{
		"PATH": "/bin", "HOME": "/home/me", "EMPTY": "", "EQUALS": "a=b", "no_proxy": "corp.invalid", "HTTPS_PROXY": "http://proxy.invalid",
		"TF_VAR_region": "eu-west-1", "TF_CLI_CONFIG_FILE": "/rc", "TF_PLUGIN_CACHE_DIR": "/cache", "TERRAFORM_CONFIG": "/old",
		"TF_ENCRYPTION": "key", "OPENTOFU_ENFORCE_GPG_VALIDATION": "1",
		"CHECKPOINT_TIMEOUT": "1", "CHECKPOINT_DISABLE": "1",
		"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_DYNAMODB": "http://other",
		"AWS_CA_BUNDLE": "/ca", "aws_region": "lower",
	}
	if !reflect.DeepEqual(env, want) {
		t.Errorf("got  %v\nwant %v", env, want)
	}
	if want := []string{"TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_DATA_DIR", "TF_INPUT", "TF_LOG", "TF_LOG_PATH", "TF_REATTACH_PROVIDERS", "TF_WORKSPACE", "TOFU_CPU_PROFILE", "TOFU_X_EXPERIMENTAL_RUNTIME", "VCR_MODE", "VCR_PATH"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %v, want %v", dropped, want)
	}
}

//go:build unix

package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// surroundings are those of the process of testdata/surroundings.
type surroundings struct {
	Environment []string
	Folder      string
	Descriptors map[string]string
}

func (s surroundings) variable(name string) string {
	i := slices.IndexFunc(s.Environment, func(pair string) bool { return strings.HasPrefix(pair, name+"=") })
	if i < 0 {
		return ""
	}
	return s.Environment[i][len(name)+1:]
}

// lookAround runs testdata/surroundings as a function of the stack and gives what its process has.
func lookAround(t *testing.T, endpoint string) surroundings {
	t.Helper()
	code, err := bootstrap.Zip("./testdata/surroundings")
	must(t, err)
	root, name := config(endpoint), aws.String("surroundings")
	newFunction(t, root, &lambda.CreateFunctionInput{FunctionName: name, Code: &lambdatypes.FunctionCode{ZipFile: code},
		Environment: &lambdatypes.Environment{Variables: map[string]string{"TABLE": "orders"}}})
	out, err := lambda.NewFromConfig(root).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name})
	must(t, err)
	var s surroundings
	if err := json.Unmarshal(out.Payload, &s); err != nil {
		t.Fatalf("the function answers %s: %v", out.Payload, err)
	}
	return s
}

// TestNothingOfTheShellIsInAFunction starts a stack from a shell that has credentials, a proxy, a library to load first and open files.
func TestNothingOfTheShellIsInAFunction(t *testing.T) {
	const secret = "the shell's own"
	for _, name := range []string{"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_CA_BUNDLE", "HTTP_PROXY", "https_proxy", "NO_PROXY", "SSH_AUTH_SOCK", "GITHUB_TOKEN",
		"DATABASE_URL", "GODEBUG", "GOTRACEBACK", "KUBECONFIG", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, secret)
	}
	if runtime.GOOS == "linux" { // what cannot be loaded is told on stderr by the tools that build the function, and passed over
		t.Setenv("LD_PRELOAD", "/nowhere/"+secret)
		t.Setenv("LD_AUDIT", "/nowhere/"+secret)
	}
	private := filepath.Join(t.TempDir(), "private")
	must(t, os.WriteFile(private, []byte(secret), 0o600))
	fd, err := syscall.Open(private, syscall.O_RDONLY, 0) // as a shell leaves it open: Go's own files are not passed on
	must(t, err)
	defer syscall.Close(fd)

	s := lookAround(t, newStack(t, local.Options{}).Endpoint())
	for _, pair := range s.Environment {
		if name, value, _ := strings.Cut(pair, "="); strings.Contains(value, secret) || slices.Contains([]string{"HOME", "USER", "PWD", "SHELL"}, name) {
			t.Errorf("the function has the shell's %s", pair)
		}
	}
	if s.variable("TABLE") != "orders" || !strings.HasPrefix(s.variable("AWS_ACCESS_KEY_ID"), "ASIA") || s.variable("AWS_CONFIG_FILE") != os.DevNull ||
		s.variable("AWS_SHARED_CREDENTIALS_FILE") != os.DevNull {
		t.Errorf("the function has %q", s.Environment)
	}
	if own, err := os.Getwd(); err != nil || s.Folder == own || s.Folder != s.variable("LAMBDA_TASK_ROOT") {
		t.Errorf("the function is in %s", s.Folder)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if s.Descriptors["0"] != os.DevNull || !strings.HasPrefix(s.Descriptors["1"], "pipe:") || s.Descriptors["1"] != s.Descriptors["2"] {
		t.Errorf("the standard descriptors are %v", s.Descriptors)
	}
	for number, to := range s.Descriptors {
		if strings.HasPrefix(to, "/") && to != os.DevNull && !strings.HasPrefix(to, "/sys/fs/cgroup") && !strings.HasPrefix(to, "/proc/") {
			t.Errorf("descriptor %s is %s", number, to)
		}
	}
}

// TestFilesAreTheirUsersOwn looks at all that a stack has on the disk while a function runs, where the shell's umask lets everybody read.
func TestFilesAreTheirUsersOwn(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	above := t.TempDir()
	data, temporary := filepath.Join(above, "data"), filepath.Join(above, "tmp")
	must(t, os.Mkdir(data, 0o755)) // as mkdir makes it
	must(t, os.Mkdir(temporary, 0o755))
	t.Setenv("TMPDIR", temporary)
	for name, opts := range map[string]local.Options{"a data folder": {DataDir: data}, "in memory": {}} {
		t.Run(name, func(t *testing.T) {
			opts.Listen = "127.0.0.1:0"
			stack, err := local.Start(t.Context(), opts)
			must(t, err)
			t.Cleanup(func() { must(t, stack.Close(context.Background())) })
			root := config(stack.Endpoint())
			secret := secretsmanager.NewFromConfig(root)
			_, err = secret.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("hush")})
			must(t, err)
			_, err = dynamodb.NewFromConfig(root).CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("tab"), BillingMode: ddb.BillingModePayPerRequest,
				AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
				KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}}})
			must(t, err)
			found := lookAround(t, stack.Endpoint()).Folder
			if !strings.HasPrefix(found, above) {
				t.Fatalf("the function runs in %s, which this test does not look at", found)
			}
			files := 0
			must(t, filepath.WalkDir(above, func(path string, d fs.DirEntry, err error) error {
				if err != nil || path == above || path == data || path == temporary {
					return err
				}
				info, err := d.Info()
				switch {
				case err != nil:
					return err
				case info.Mode().Perm()&0o077 != 0:
					t.Errorf("%s is of the mode %v", path, info.Mode())
				case info.Mode()&0o077 == 0 && d.IsDir() && strings.HasPrefix(found, path):
					files++
					return fs.SkipDir // nobody else gets further
				}
				files++
				return nil
			}))
			if files < 1 || opts.DataDir != "" && files < 4 {
				t.Errorf("there are %d files", files)
			}
		})
	}
}

// TestOtherUsersCannotConnect has another user of the machine ask the stack, and a function's Runtime API for the next event, which only
// root can arrange.
func TestOtherUsersCannotConnect(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("needs root, on Linux")
	}
	endpoint := newStack(t, local.Options{}).Endpoint()
	s := lookAround(t, endpoint)
	for what, to := range map[string]struct{ address, path string }{
		"the stack":       {strings.TrimPrefix(endpoint, "http://"), "/_streamgen/dump"},
		"the Runtime API": {s.variable("AWS_LAMBDA_RUNTIME_API"), "/2018-06-01/runtime/invocation/next"},
	} {
		host, port, err := net.SplitHostPort(to.address)
		must(t, err)
		ask := fmt.Sprintf(`exec 3<>/dev/tcp/%s/%s; printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' >&3; read -r line <&3; echo "$line"`, host, port, to.path, to.address)
		for uid, want := range map[uint32]string{65534: "403", 0: "200"} {
			if uid == 0 && what != "the stack" {
				continue // it would wait for an event
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "/bin/bash", "-c", ask)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
			line, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(line), " "+want+" ") {
				t.Errorf("%s answers the user %d: %s %v, want %s", what, uid, line, err, want)
			}
		}
	}
}

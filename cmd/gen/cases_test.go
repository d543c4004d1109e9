package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/cli"
	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

var update = flag.Bool("update", false, "rewrite what the test of the cases expects in docs/local.md")

// TestCasesOnTheLocalStack applies every case of the renderer to a local stack, plans it again, which finds nothing to do, and destroys it,
// which leaves nothing. What the stack refuses, it refuses by name, and docs/local.md lists it.
func TestCasesOnTheLocalStack(t *testing.T) {
	if os.Getenv("STREAMGEN_WITH_CASES") == "" || !tf.ProviderAvailable(t.Context()) {
		t.Skip("takes minutes, and needs the AWS provider: make cases")
	}
	const cases = "../../internal/render/testdata/cases"
	folders, err := os.ReadDir(cases)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	results := map[string]string{}
	t.Run("cases", func(t *testing.T) {
		for _, folder := range folders {
			t.Run(folder.Name(), func(t *testing.T) {
				t.Parallel()
				result := applyCase(t, filepath.Join(cases, folder.Name(), "gen.yaml"))
				mu.Lock()
				defer mu.Unlock()
				results[folder.Name()] = result
			})
		}
	})
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(results)) {
		fmt.Fprintf(&table, "| %s | %s |\n", name, results[name])
	}
	checkTable(t, table.String())
}

// checkTable holds the table at the end of docs/local.md to what was seen.
func checkTable(t *testing.T, want string) {
	t.Helper()
	const page, head = "../../docs/local.md", "| case | on the local stack |\n| --- | --- |\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, have, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table of the cases", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+head+want), 0o644); err != nil { //nolint:gosec // a page that is committed
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("%s is stale, run the test with -update:\n%s", page, d)
	}
}

var notEmulated = regexp.MustCompile(`streamgen local does not emulate ([^\n\[]+)`)

// applyCase applies a spec to a stack of its own, and gives "runs" or what the stack refuses.
func applyCase(t *testing.T, file string) string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = stack.Close(ctx)
	}()
	s, _ := spec.Load("gen.yaml", src)
	src = makeForeignTables(t, stack.Endpoint(), s, src)
	src = makeForeignLayers(t, stack.Endpoint(), s, src)
	if err := os.WriteFile(filepath.Join(dir, "gen.yaml"), src, 0o600); err != nil {
		t.Fatal(err)
	}

	want := held(t, stack.Endpoint())
	for _, table := range s.Tables {
		if table.Import { // it is gen's after the apply
			want = slices.DeleteFunc(want, func(arn string) bool { return strings.HasSuffix(arn, ":table/"+s.NamePrefix+table.TableName) })
		}
	}
	var out bytes.Buffer
	run := func(command string, args ...string) int {
		out.Reset()
		return cli.Run(t.Context(), append([]string{"-C", dir, command}, args...), nil, &out, &out)
	}
	local := []string{"--env", "local", "--endpoint", stack.Endpoint()}
	if code := run("init", ".", "--no-terraform"); code != 0 {
		t.Fatalf("init: exit code %d:\n%s", code, &out)
	}
	if code := run("apply", local...); code != 0 {
		refused := map[string]bool{}
		for _, m := range notEmulated.FindAllStringSubmatch(out.String(), -1) {
			refused[strings.TrimSuffix(strings.TrimSpace(m[1]), ".")] = true
		}
		if len(refused) == 0 {
			t.Errorf("apply: exit code %d, and nothing is refused by name:\n%s", code, &out)
		}
		return "refused: " + strings.Join(slices.Sorted(maps.Keys(refused)), "; ")
	}
	if code := run("plan", local...); code != 0 {
		t.Errorf("a second plan: exit code %d:\n%s", code, &out)
	}
	kept := slices.ContainsFunc(s.Tables, func(table spec.Table) bool { return table.PreventDestroy })
	switch code := run("destroy", local...); {
	case kept && (code == 0 || !strings.Contains(out.String(), "prevent_destroy")):
		t.Errorf("destroy of what is kept from it: exit code %d:\n%s", code, &out)
	case kept:
		return "runs"
	case code != 0:
		t.Errorf("destroy: exit code %d:\n%s", code, &out)
	}
	if d := cmp.Diff(want, held(t, stack.Endpoint()), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("destroy leaves (-want +have):\n%s", d)
	}
	return "runs"
}

// held are the names of what a stack holds, by its kind.
func held(t *testing.T, endpoint string) (all []string) {
	t.Helper()
	res, err := http.Get(endpoint + "/_streamgen/dump")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var dump struct {
		Resources []string
		Regions   map[string]struct {
			Tables, Functions []struct{ ARN string }
			Mappings          []struct{ UUID string }
			Resources         []string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&dump); err != nil {
		t.Fatal(err)
	}
	all = dump.Resources
	for _, region := range dump.Regions {
		all = append(all, region.Resources...)
		for _, what := range append(region.Tables, region.Functions...) {
			all = append(all, what.ARN)
		}
		for _, m := range region.Mappings {
			all = append(all, "mapping "+m.UUID)
		}
	}
	slices.Sort(all)
	return all
}

// makeForeignTables makes the tables that a spec takes for there. It gives the spec with the ARNs of their streams.
func makeForeignTables(t *testing.T, endpoint string, s *spec.Spec, src []byte) []byte {
	t.Helper()
	db := dynamodb.NewFromConfig(stackConfig(endpoint, s.Region))
	for _, table := range s.Tables {
		name := table.TableName
		switch _, named, _ := strings.Cut(table.StreamARN, ":table/"); {
		case table.Import:
			name = s.NamePrefix + name
		case table.StreamARN != "":
			name, _, _ = strings.Cut(named, "/")
		case !table.Existing:
			continue
		}
		in := &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(table.HashKey), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(table.HashKey), AttributeType: types.ScalarAttributeTypeS}},
		}
		if table.StreamViewType != "" {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(table.StreamViewType)}
		}
		out, err := db.CreateTable(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if table.StreamARN != "" {
			src = bytes.ReplaceAll(src, []byte(table.StreamARN), []byte(*out.TableDescription.LatestStreamArn))
		}
	}
	return src
}

// makeForeignLayers makes layers of the stack's account in the place of those of others. It gives the spec with their ARNs.
func makeForeignLayers(t *testing.T, endpoint string, s *spec.Spec, src []byte) []byte {
	t.Helper()
	layer, err := bootstrap.Pack(bootstrap.File{Name: "lib/layer.txt", Mode: 0o644, Data: []byte("a layer")})
	if err != nil {
		t.Fatal(err)
	}
	functions := lambda.NewFromConfig(stackConfig(endpoint, s.Region))
	for _, h := range s.Handlers {
		for _, arn := range h.Layers {
			name := strings.Split(arn, ":")[6]
			made, err := functions.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
				LayerName: &name, Content: &lambdatypes.LayerVersionContentInput{ZipFile: layer},
			})
			if err != nil {
				t.Fatal(err)
			}
			src = bytes.ReplaceAll(src, []byte(arn), []byte(*made.LayerVersionArn))
		}
	}
	return src
}

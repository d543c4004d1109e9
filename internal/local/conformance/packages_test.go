package conformance_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// entry is a file of a package.
type entry struct {
	name string
	mode fs.FileMode
	text string
}

func zipOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	files := make([]bootstrap.File, len(entries))
	for i, e := range entries {
		files[i] = bootstrap.File{Name: e.name, Mode: e.mode, Data: []byte(e.text)}
	}
	packed, err := bootstrap.Pack(files...)
	must(t, err)
	return packed
}

// bomb is a package of files of 20 MB, each of which says how large it is.
func bomb(t *testing.T, files int, says uint64) []byte {
	t.Helper()
	packed, err := bootstrap.Bomb(files, 20<<20, says)
	must(t, err)
	return packed
}

// TestHarmfulPackagesAreRefused gives them as a function's new code, as the code of a new function and as a layer. Nothing of them stays.
func TestHarmfulPackagesAreRefused(t *testing.T) {
	above := t.TempDir()
	data := filepath.Join(above, "data")
	must(t, os.WriteFile(filepath.Join(above, "victim"), []byte("untouched"), 0o600))
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", DataDir: data})
	must(t, err)
	defer stack.Close(t.Context())
	root := config(stack.Endpoint())
	functions, name := lambda.NewFromConfig(root), aws.String("f")
	role := newFunction(t, root, &lambda.CreateFunctionInput{FunctionName: name, Code: &lambdatypes.FunctionCode{
		ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})}})
	made, err := iam.NewFromConfig(root).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	before := filesBelow(t, above)

	const file = 0o644
	deep := strings.Repeat("d/", 500)
	many, folders := make([]entry, 10_001), make([]entry, 40)
	for i := range many {
		many[i] = entry{fmt.Sprint("f", i), file, ""}
	}
	for i := range folders {
		folders[i] = entry{fmt.Sprint(i, "/", deep, "f"), file, ""} // 20,000 folders for 40 files
	}
	for what, test := range map[string]struct {
		zip  []byte
		want string
	}{
		"a path that leads out":        {zipOf(t, entry{"../../../../victim", file, "hit"}), "would not lie inside"},
		"one that hides it":            {zipOf(t, entry{"a/b/../../../victim", file, "hit"}), "would not lie inside"},
		"an absolute path":             {zipOf(t, entry{filepath.Join(above, "victim"), file, "hit"}), "would not lie inside"},
		"a drive":                      {zipOf(t, entry{`C:\victim`, file, "hit"}), "would not lie inside"},
		"backslashes":                  {zipOf(t, entry{`..\..\victim`, file, "hit"}), "would not lie inside"},
		"a zero byte":                  {zipOf(t, entry{"bootstrap\x00.txt", file, ""}), "would not lie inside"},
		"the folder itself":            {zipOf(t, entry{".", file, ""}), "cannot be written"},
		"no name":                      {zipOf(t, entry{"", file, ""}), "cannot be written"},
		"a link":                       {zipOf(t, entry{"link", fs.ModeSymlink | 0o777, above}), "neither a plain file"},
		"a link and what lies past it": {zipOf(t, entry{"link", fs.ModeSymlink | 0o777, above}, entry{"link/victim", file, "hit"}), "neither a plain file"},
		"a set-user-id file":           {zipOf(t, entry{"bootstrap", fs.ModeSetuid | 0o755, ""}), "neither a plain file"},
		"a set-group-id folder":        {zipOf(t, entry{"d/", fs.ModeDir | fs.ModeSetgid | 0o755, ""}), "neither a plain file"},
		"a device":                     {zipOf(t, entry{"sda", fs.ModeDevice | 0o666, ""}), "neither a plain file"},
		"a character device":           {zipOf(t, entry{"tty", fs.ModeDevice | fs.ModeCharDevice | 0o666, ""}), "neither a plain file"},
		"a pipe":                       {zipOf(t, entry{"pipe", fs.ModeNamedPipe | 0o666, ""}), "neither a plain file"},
		"a socket":                     {zipOf(t, entry{"socket", fs.ModeSocket | 0o666, ""}), "neither a plain file"},
		"a name twice":                 {zipOf(t, entry{"bootstrap", 0o755, "a"}, entry{"bootstrap", 0o755, "b"}), "cannot be written"},
		"a name twice, in other words": {zipOf(t, entry{"a/../bootstrap", 0o755, "a"}, entry{"./bootstrap", 0o755, "b"}), "cannot be written"},
		"a file as a folder":           {zipOf(t, entry{"a", file, ""}, entry{"a/b", file, ""}), "cannot be made"},
		"a folder as a file":           {zipOf(t, entry{"a/b", file, ""}, entry{"a", file, ""}), "cannot be written"},
		"too many files":               {zipOf(t, many...), "over the limit of 10000"},
		"too many folders":             {zipOf(t, folders...), "over the limit of 10000"},
		"folders in folders":           {zipOf(t, entry{strings.Repeat("d/", 30_000) + "f", file, ""}), "whose name is of 60001 bytes"},
		"a bomb":                       {bomb(t, 13, 20<<20), "Unzipped size must be smaller"},
		"a bomb that says less":        {bomb(t, 13, 1<<10), "cannot be unpacked"},
		"no zip":                       {[]byte("PK\x03\x04 is not enough"), "Could not unzip"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: aws.String("other"), Role: made.Role.Arn,
				Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: test.zip}})
			wantCode(t, err, "InvalidParameterValueException", test.want)
			_, err = functions.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: test.zip})
			wantCode(t, err, "InvalidParameterValueException", test.want)
			_, err = functions.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{LayerName: aws.String("layer"),
				Content: &lambdatypes.LayerVersionContentInput{ZipFile: test.zip}})
			wantCode(t, err, "InvalidParameterValueException", test.want)
		})
	}
	if after := filesBelow(t, above); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("there were %q, and now there are %q", before, after)
	}
	if text, err := os.ReadFile(filepath.Join(above, "victim")); err != nil || string(text) != "untouched" {
		t.Errorf("the file above is %q, %v", text, err)
	}
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		files = append(files, path)
		return err
	}))
	return files
}

// TestLayersStayInTheirFolder puts one layer over another where the names of one are the folders of the other.
func TestLayersStayInTheirFolder(t *testing.T) {
	root := config(newStack(t, local.Options{}).Endpoint())
	functions := lambda.NewFromConfig(root)
	publishZip := func(name string, zip []byte) string {
		t.Helper()
		out, err := functions.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{LayerName: &name,
			Content: &lambdatypes.LayerVersionContentInput{ZipFile: zip}})
		must(t, err)
		return aws.ToString(out.LayerVersionArn)
	}
	publish := func(name string, entries ...entry) string { return publishZip(name, zipOf(t, entries...)) }
	newFunction(t, root, &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Code: &lambdatypes.FunctionCode{
		ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})}})
	tree, plain := publish("tree", entry{"bin/tool/a", 0o644, "a"}), publish("plain", entry{"bin/tool", 0o755, "b"})
	large := func(name string) string { return publishZip(name, bomb(t, 7, 20<<20)) }
	for _, test := range []struct {
		layers []string
		want   string
	}{
		{[]string{tree, plain}, "covers a folder"},
		{[]string{plain, tree}, "covers a file"},
		{[]string{large("l1"), large("l2")}, "exceeds the maximum allowed size"},
	} {
		_, err := functions.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Layers: test.layers})
		wantCode(t, err, "InvalidParameterValueException", test.want)
	}
}

// TestNamesLeadNowhere has names that would lead out of a folder, if anything were named after them.
func TestNamesLeadNowhere(t *testing.T) {
	above := t.TempDir()
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", DataDir: filepath.Join(above, "data")})
	must(t, err)
	defer stack.Close(t.Context())
	ctx, root := t.Context(), config(stack.Endpoint())
	functions := lambda.NewFromConfig(root)
	code := zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})
	role := newFunction(t, root, &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Code: &lambdatypes.FunctionCode{ZipFile: code}})
	made, err := iam.NewFromConfig(root).GetRole(ctx, &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	before := filesBelow(t, above)
	for _, name := range []string{"../../evil", "/evil", `..\evil`, "a/b", "..", "evil\x00"} {
		_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Role: made.Role.Arn,
			Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code}})
		wantCode(t, err, "InvalidParameterValueException", "neither a function's name nor its ARN")
		_, err = functions.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: &name, Content: &lambdatypes.LayerVersionContentInput{ZipFile: code}})
		if err == nil {
			t.Errorf("a layer is called %q", name)
		}
		elsewhere := root.Copy()
		elsewhere.Region = name
		if _, err := lambda.NewFromConfig(elsewhere).ListFunctions(ctx, nil); err == nil {
			t.Errorf("a region is called %q", name)
		}
	}
	buckets := s3.NewFromConfig(root, func(o *s3.Options) { o.UsePathStyle = true })
	bucket := aws.String("bucket")
	_, err = buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	keys := []string{"../../evil", "/etc/evil", "a/../../evil", "a//evil", "./evil", `..\evil`}
	for _, key := range keys { // which S3 allows: they are names, not paths
		_, err := buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(key)})
		must(t, err)
	}
	for _, key := range keys {
		out, err := buckets.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
		must(t, err)
		if text, err := io.ReadAll(out.Body); err != nil || string(text) != key {
			t.Errorf("%q holds %q, %v", key, text, err)
		}
		must(t, out.Body.Close())
	}
	if after := filesBelow(t, above); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("there were %q, and now there are %q", before, after)
	}
}

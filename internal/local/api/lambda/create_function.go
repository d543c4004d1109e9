package lambda

import (
	"net/http"
	"time"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type createFunctionInput struct {
	settings
	FunctionName  *string
	Code          *struct{ ZipFile []byte }
	Architectures []string
	PackageType   string
	Publish       bool
	Tags          map[string]string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
func (a *api) createFunction(r *http.Request) (wire.Response, error) {
	const operation = "CreateFunction"
	in, err := decode[createFunctionInput](r, operation)
	if err != nil {
		return wire.Response{}, err
	}
	var c constraints
	c.present(in.FunctionName != nil, "functionName")
	c.present(in.Role != nil, "role")
	c.present(in.Code != nil, "code")
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	if err := notEmulated(operation, map[string]bool{
		"PackageType other than Zip": in.PackageType != "" && in.PackageType != "Zip",
	}); err != nil {
		return wire.Response{}, err
	}
	if err := in.check(operation); err != nil {
		return wire.Response{}, err
	}
	if in.Handler == nil || in.Runtime == nil {
		return wire.Response{}, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if len(in.Code.ZipFile) == 0 {
		return wire.Response{}, invalid("Please provide a source for function code.")
	}
	ref, err := a.functions.Parse(*in.FunctionName)
	if err != nil {
		return wire.Response{}, err
	}
	if ref.Qualifier != "" {
		return wire.Response{}, invalid("The name of a new function has no qualifier: %s", *in.FunctionName)
	}
	if err := checkTags(in.Tags, nil); err != nil {
		return wire.Response{}, err
	}
	config := host.Config{Name: ref.Name, Timeout: 3 * time.Second, MemorySize: 128}
	if config.Architecture, err = architecture(in.Architectures, "x86_64"); err != nil {
		return wire.Response{}, err
	}
	in.apply(&config)
	if err := checkLogLevels(&config); err != nil {
		return wire.Response{}, err
	}
	if config.Layers, err = a.functions.Layers(in.Layers); err != nil {
		return wire.Response{}, err
	}
	f, err := a.functions.Create(config, in.Tags, in.Code.ZipFile)
	if err != nil {
		return wire.Response{}, err
	}
	// Lambda answers so; the next read finds the function active.
	out := configurationOf(f, "")
	if in.Publish {
		if f, err = a.functions.PublishVersion(ref, "", "", nil); err != nil {
			return wire.Response{}, err
		}
		out = configurationOf(f, f.Version)
	}
	out.State, out.StateReason, out.StateReasonCode = "Pending", "The function is being created.", "Creating"
	return wire.Response{Status: http.StatusCreated, Body: out}, nil
}

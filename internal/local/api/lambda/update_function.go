package lambda

import (
	"net/http"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type updateConfigurationInput struct {
	settings
	RevisionId string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (a *api) updateConfiguration(r *http.Request) (wire.Response, error) {
	const operation = "UpdateFunctionConfiguration"
	ref, err := a.latest(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[updateConfigurationInput](r, operation)
	if err != nil {
		return wire.Response{}, err
	}
	if err := in.check(operation); err != nil {
		return wire.Response{}, err
	}
	layers, err := a.functions.Layers(in.Layers)
	if err != nil {
		return wire.Response{}, err
	}
	f, err := a.functions.UpdateConfiguration(ref, in.RevisionId, func(c *host.Config) error {
		in.apply(c)
		if in.Layers != nil {
			c.Layers = layers
		}
		return checkLogLevels(c)
	})
	if err != nil {
		return wire.Response{}, err
	}
	return updated(f), nil
}

type updateCodeInput struct {
	ZipFile       []byte
	Architectures []string
	Publish       bool
	DryRun        bool
	RevisionId    string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
func (a *api) updateCode(r *http.Request) (wire.Response, error) {
	const operation = "UpdateFunctionCode"
	ref, err := a.latest(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[updateCodeInput](r, operation)
	if err != nil {
		return wire.Response{}, err
	}
	if err := notEmulated(operation, map[string]bool{"DryRun": in.DryRun}); err != nil {
		return wire.Response{}, err
	}
	if len(in.ZipFile) == 0 {
		return wire.Response{}, invalid("Please provide a source for function code.")
	}
	arch, err := architecture(in.Architectures, "")
	if err != nil {
		return wire.Response{}, err
	}
	f, err := a.functions.UpdateCode(ref, in.RevisionId, arch, in.ZipFile)
	if err != nil {
		return wire.Response{}, err
	}
	if in.Publish {
		if f, err = a.functions.PublishVersion(ref, "", "", nil); err != nil {
			return wire.Response{}, err
		}
		return wire.Response{Body: configurationOf(f, f.Version)}, nil
	}
	return updated(f), nil
}

// latest is ref for an operation that only $LATEST can have.
func (a *api) latest(r *http.Request) (host.Ref, error) {
	ref, err := a.ref(r)
	if err == nil {
		_, err = a.functions.Get(ref)
	}
	return ref, err
}

// updated is how Lambda answers to an update; the next read finds it successful.
func updated(f host.Function) wire.Response {
	out := configurationOf(f, "")
	out.LastUpdateStatus, out.LastUpdateStatusReason, out.LastUpdateStatusReasonCode = "InProgress", "The function is being created.", "Creating"
	return wire.Response{Body: out}
}

package lambda

import (
	"net/http"
	"slices"
	"strconv"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

func (a *api) routeLayers(route router) {
	const layers = "/2018-10-31/layers"
	const versions = layers + "/{layer}/versions"
	filters := []string{"Marker", "MaxItems", "CompatibleRuntime", "CompatibleArchitecture"}
	route("POST "+versions, nil, a.publishLayer)
	route("GET "+versions, filters, a.listLayerVersions)
	route("GET "+versions+"/{version}", nil, a.getLayerVersion)
	route("DELETE "+versions+"/{version}", nil, a.deleteLayerVersion)
	route("GET "+layers, append(filters, "Arn", "find"), a.listLayers)
}

type publishLayerInput struct {
	Content                                     *struct{ ZipFile []byte }
	Description, LicenseInfo                    *string
	CompatibleRuntimes, CompatibleArchitectures []string
}

// layerVersion is a layer's version as the API shows it. Content is missing in lists.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
type layerVersion struct {
	LayerArn                string `json:",omitempty"`
	LayerVersionArn         string
	Version                 int64
	Description             string
	CreatedDate             string
	LicenseInfo             string        `json:",omitempty"`
	CompatibleRuntimes      []string      `json:",omitempty"`
	CompatibleArchitectures []string      `json:",omitempty"`
	Content                 *layerContent `json:",omitempty"`
}

// layerContent has no Location: a package cannot be downloaded again.
type layerContent struct {
	CodeSha256 string
	CodeSize   int64
}

func layerVersionOf(v host.LayerVersion) layerVersion {
	return layerVersion{
		LayerVersionArn: v.ARN, Version: v.Version, Description: v.Description, CreatedDate: v.Created.UTC().Format("2006-01-02T15:04:05.000+0000"),
		LicenseInfo: v.License, CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
	}
}

func fullLayerVersionOf(v host.LayerVersion) layerVersion {
	out := layerVersionOf(v)
	out.LayerArn, out.Content = v.LayerARN, &layerContent{v.CodeSHA256, v.CodeSize}
	return out
}

// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
func (a *api) publishLayer(r *http.Request) (wire.Response, error) {
	in, err := decode[publishLayerInput](r, "PublishLayerVersion")
	if err != nil {
		return wire.Response{}, err
	}
	var c constraints
	c.present(in.Content != nil, "content")
	c.need(len(in.CompatibleRuntimes) <= 15, "compatibleRuntimes", len(in.CompatibleRuntimes), "have length less than or equal to 15")
	for _, arch := range in.CompatibleArchitectures {
		c.oneOf(arch, "compatibleArchitectures", "x86_64", "arm64")
	}
	if in.LicenseInfo != nil {
		c.need(len(*in.LicenseInfo) <= 512, "licenseInfo", *in.LicenseInfo, "have length less than or equal to 512")
	}
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	if err := checkDescription(in.Description); err != nil {
		return wire.Response{}, err
	}
	if len(in.Content.ZipFile) == 0 {
		return wire.Response{}, invalid("Please provide a source for layer code.")
	}
	v, err := a.functions.PublishLayerVersion(host.LayerVersion{
		Layer: r.PathValue("layer"), Description: value(in.Description, ""), License: value(in.LicenseInfo, ""),
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
	}, in.Content.ZipFile)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusCreated, Body: fullLayerVersionOf(v)}, nil
}

func versionNumber(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("version"), 10, 64)
	if err != nil || n < 1 {
		return 0, invalid("Layer Version Cannot be less than 1.")
	}
	return n, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
func (a *api) getLayerVersion(r *http.Request) (wire.Response, error) {
	n, err := versionNumber(r)
	if err != nil {
		return wire.Response{}, err
	}
	v, err := a.functions.LayerVersion(r.PathValue("layer"), n)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: fullLayerVersionOf(v)}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
func (a *api) deleteLayerVersion(r *http.Request) (wire.Response, error) {
	n, err := versionNumber(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.DeleteLayerVersion(r.PathValue("layer"), n)
}

// compatible keeps the versions that a list asks for.
func compatible(r *http.Request, all []host.LayerVersion) []host.LayerVersion {
	runtime, arch := r.URL.Query().Get("CompatibleRuntime"), r.URL.Query().Get("CompatibleArchitecture")
	return slices.DeleteFunc(all, func(v host.LayerVersion) bool {
		return runtime != "" && !slices.Contains(v.Runtimes, runtime) || arch != "" && !slices.Contains(v.Architectures, arch)
	})
}

type listLayerVersionsOutput struct {
	LayerVersions []layerVersion
	NextMarker    string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html
func (a *api) listLayerVersions(r *http.Request) (wire.Response, error) {
	all, err := a.functions.LayerVersions(r.PathValue("layer"))
	if err != nil {
		return wire.Response{}, err
	}
	page, next, err := paginate(r, compatible(r, all), 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listLayerVersionsOutput{LayerVersions: []layerVersion{}, NextMarker: next}
	for _, v := range page {
		out.LayerVersions = append(out.LayerVersions, layerVersionOf(v))
	}
	return wire.Response{Body: out}, nil
}

type listedLayer struct {
	LayerName, LayerArn   string
	LatestMatchingVersion layerVersion
}

type listLayersOutput struct {
	Layers     []listedLayer
	NextMarker string `json:",omitempty"`
}

// listLayers is ListLayers, and GetLayerVersionByArn, which has the same path.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
func (a *api) listLayers(r *http.Request) (wire.Response, error) {
	if r.URL.Query().Get("find") == "LayerVersion" {
		v, err := a.functions.LayerByARN(r.URL.Query().Get("Arn"))
		if err != nil {
			return wire.Response{}, err
		}
		return wire.Response{Body: fullLayerVersionOf(v)}, nil
	}
	page, next, err := paginate(r, compatible(r, a.functions.LatestLayers()), 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listLayersOutput{Layers: []listedLayer{}, NextMarker: next}
	for _, v := range page {
		out.Layers = append(out.Layers, listedLayer{v.Layer, v.LayerARN, layerVersionOf(v)})
	}
	return wire.Response{Body: out}, nil
}

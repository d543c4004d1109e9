package host

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxLayers is how many layers a function may have.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxLayers = 5

var layerPattern = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,140}$`)

// LayerVersion is one version of a layer, which never changes.
type LayerVersion struct {
	Layer   string // the layer's name
	Version int64
	// ARN is the version's, LayerARN the layer's.
	ARN, LayerARN           string
	Description, License    string
	Runtimes, Architectures []string
	CodeSHA256              string // base64
	CodeSize                int64
	Created                 time.Time
}

// layer is a layer with its versions, oldest first.
type layer struct {
	Versions []LayerVersion
	Next     int64
}

// FunctionLayer is a version of a layer that a function has. It stays the function's when it is deleted, as on AWS.
type FunctionLayer struct {
	ARN, CodeSHA256 string
	CodeSize        int64
}

// PublishLayerVersion adds a version of a layer from a zip; Layer, Description, License, Runtimes and Architectures are the caller's.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
func (h *Host) PublishLayerVersion(v LayerVersion, zip []byte) (LayerVersion, error) {
	name, err := h.layerName(v.Layer)
	if err != nil {
		return LayerVersion{}, err
	}
	code, err := h.takeIn(name, zip)
	if err != nil {
		return LayerVersion{}, err
	}
	sum := sha256.Sum256(zip)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		code.drop()
		return LayerVersion{}, ErrClosed
	}
	l := h.layers[name]
	if l == nil {
		l = &layer{Next: 1}
		h.layers[name] = l
	}
	v.Layer, v.Version, v.LayerARN = name, l.Next, h.layerARN(name)
	v.ARN = v.LayerARN + ":" + strconv.FormatInt(v.Version, 10)
	v.CodeSHA256, v.CodeSize, v.Created = base64.StdEncoding.EncodeToString(sum[:]), int64(len(zip)), h.opts.Clock.Now()
	l.Next++
	l.Versions = append(l.Versions, v)
	h.layerCode[v.ARN] = code
	h.keepLayer(name)
	return v, nil
}

func (h *Host) layerARN(name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s", h.opts.Region, h.opts.Account, name)
}

// layerName takes a layer's name or ARN.
func (h *Host) layerName(s string) (string, error) {
	name := strings.TrimPrefix(s, h.layerARN(""))
	if !layerPattern.MatchString(name) {
		return "", errorf(InvalidParameterValue, "%q is neither a layer's name nor the ARN of one in this account and region", s)
	}
	return name, nil
}

// LayerVersions gives the versions of a layer, the newest first; of one that is unknown there are none.
func (h *Host) LayerVersions(layer string) ([]LayerVersion, error) {
	name, err := h.layerName(layer)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.layers[name] == nil {
		return nil, nil
	}
	all := slices.Clone(h.layers[name].Versions)
	slices.Reverse(all)
	return all, nil
}

// LatestLayers gives the newest version of every layer, sorted by name.
func (h *Host) LatestLayers() []LayerVersion {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []LayerVersion
	for _, l := range h.layers {
		if n := len(l.Versions); n > 0 {
			all = append(all, l.Versions[n-1])
		}
	}
	slices.SortFunc(all, func(a, b LayerVersion) int { return strings.Compare(a.Layer, b.Layer) })
	return all
}

// LayerVersion gives a version of a layer.
func (h *Host) LayerVersion(layer string, version int64) (LayerVersion, error) {
	all, err := h.LayerVersions(layer)
	if err != nil {
		return LayerVersion{}, err
	}
	for _, v := range all {
		if v.Version == version {
			return v, nil
		}
	}
	return LayerVersion{}, errorf(ResourceNotFound, "The resource you requested does not exist.")
}

// DeleteLayerVersion removes a version of a layer; functions that have it keep it. One that is not there is no error, as on AWS.
func (h *Host) DeleteLayerVersion(layer string, version int64) error {
	name, err := h.layerName(layer)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.layers[name]
	if l == nil {
		return nil
	}
	for i, v := range l.Versions {
		if v.Version == version {
			l.Versions = slices.Delete(l.Versions, i, i+1)
			h.layerCode[v.ARN].drop()
			delete(h.layerCode, v.ARN)
			h.keepLayer(name)
			break
		}
	}
	return nil
}

// Layers finds the layers that a configuration names by their versions' ARNs.
func (h *Host) Layers(arns []string) ([]FunctionLayer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []FunctionLayer
	for _, arn := range arns {
		v, found := h.layerOf(arn)
		switch parts := strings.Split(arn, ":"); {
		case !found && len(parts) > 4 && parts[4] != h.opts.Account:
			return nil, errorf(InvalidParameterValue, "streamgen local does not emulate layers of other accounts: %s", arn)
		case !found:
			return nil, errorf(InvalidParameterValue, "Layer version %s does not exist.", arn)
		}
		list = append(list, FunctionLayer{v.ARN, v.CodeSHA256, v.CodeSize})
	}
	return list, nil
}

// LayerByARN gives the version of a layer that an ARN means.
func (h *Host) LayerByARN(arn string) (LayerVersion, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, found := h.layerOf(arn)
	if !found {
		return v, errorf(ResourceNotFound, "The resource you requested does not exist.")
	}
	return v, nil
}

func (h *Host) layerOf(arn string) (LayerVersion, bool) {
	for _, l := range h.layers {
		for _, v := range l.Versions {
			if v.ARN == arn {
				return v, true
			}
		}
	}
	return LayerVersion{}, false
}

// overlay makes the folder that stands for /opt: the files of the layers, of which a later one's cover an earlier one's. A layer that
// was deleted is there if packages are kept. Without layers it is nil.
func (h *Host) overlay(name string, layers []FunctionLayer) (*code, error) {
	if len(layers) == 0 {
		return nil, nil
	}
	return h.folder(name+"-opt-", func(dir string) (size int64, err error) {
		for _, l := range layers {
			part, err := h.layerFiles(l)
			if err != nil {
				return 0, err
			}
			size += part.size
			err = cover(dir, part.dir)
			part.drop()
			if err != nil {
				return 0, err
			}
		}
		return size, nil
	})
}

// layerFiles gives a layer's files, held.
func (h *Host) layerFiles(l FunctionLayer) (*code, error) {
	h.mu.Lock()
	if part := h.layerCode[l.ARN]; part != nil {
		part.hold()
		h.mu.Unlock()
		return part, nil
	}
	h.mu.Unlock()
	if h.packages == nil {
		return nil, errorf(InvalidParameterValue, "Layer version %s does not exist.", l.ARN)
	}
	_, part, err := h.reunpack("layer", l.CodeSHA256)
	return part, err
}

// checkSizes refuses a package that is too large together with its layers.
func checkSizes(code, layers *code) error {
	if layers != nil && code.size+layers.size > MaxUnpacked {
		return errorf(InvalidParameterValue, "Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.",
			MaxUnpacked, code.size+layers.size)
	}
	return nil
}

// cover puts the files of a folder into another, over those with the same names.
func cover(dir, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			if info, err := os.Lstat(to); err == nil && !info.IsDir() {
				return errorf(InvalidParameterValue, "The layers' folder %q covers a file", rel)
			}
			return os.MkdirAll(to, 0o755)
		}
		if err := os.Remove(to); err != nil && !os.IsNotExist(err) {
			return errorf(InvalidParameterValue, "The layers' file %q covers a folder", rel)
		}
		return os.Link(path, to) // both are under the host's folder
	})
}

// layerKey is a layer's key in the journal: no function's name has a colon.
const layerKey = "layer:"

// keepLayer tells the journal of a layer that changed. The caller holds h.mu.
func (h *Host) keepLayer(name string) {
	if h.journal != nil {
		h.journal.Put(layerKey+name, h.layers[name])
	}
}

// restoreLayer takes in a layer and gives the files of its packages.
func (h *Host) restoreLayer(name string, text []byte) ([]string, error) {
	l := new(layer)
	if err := json.Unmarshal(text, l); err != nil {
		return nil, err
	}
	var files []string
	for _, v := range l.Versions {
		file, code, err := h.reunpack(name, v.CodeSHA256)
		if err != nil {
			return nil, err
		}
		h.mu.Lock()
		h.layerCode[v.ARN] = code
		h.mu.Unlock()
		files = append(files, file)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.layers[name] = l
	return files, nil
}

// reunpack unpacks a package that is kept.
func (h *Host) reunpack(name, sha256 string) (file string, c *code, err error) {
	sum, err := base64.StdEncoding.DecodeString(sha256)
	if err != nil {
		return "", nil, err
	}
	file = packageName(sum)
	zip, err := h.packages.Read(file)
	if err != nil {
		return "", nil, err
	}
	c, err = h.unpack(name, zip)
	return file, c, err
}

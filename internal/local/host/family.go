package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// family is a function with its versions and aliases, and what is set for them. The host's mu guards it.
type family struct {
	latest      *revision
	versions    []*revision // the published ones, in their order
	next        int         // the number of the next version
	published   string      // what the last version was made of
	aliases     map[string]Alias
	reserved    *int
	running     int // invocations
	provisioned map[string]Provisioned
	async       map[string]AsyncConfig
}

func newFamily() *family {
	return &family{next: 1, aliases: map[string]Alias{}, provisioned: map[string]Provisioned{}, async: map[string]AsyncConfig{}}
}

// revisions are the function's states that can be invoked.
func (f *family) revisions() []*revision { return append([]*revision{f.latest}, f.versions...) }

func (f *family) version(number string) *revision {
	if number == Latest {
		return f.latest
	}
	for _, v := range f.versions {
		if v.function.Version == number {
			return v
		}
	}
	return nil
}

// resolve gives what a qualifier means; of an alias the version that it names first.
func (f *family) resolve(qualifier string) *revision {
	if qualifier == "" {
		return f.latest
	}
	if a, found := f.aliases[qualifier]; found {
		return f.version(a.FunctionVersion)
	}
	return f.version(qualifier)
}

// route gives what an invocation of a qualifier runs on: an alias divides its invocations by its weights.
// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
func (f *family) route(qualifier string) *revision {
	for version, weight := range f.aliases[qualifier].Weights { // there is one at most
		if rand.Float64() < weight {
			return f.version(version)
		}
	}
	return f.resolve(qualifier)
}

// digest tells states of a function apart that would make different versions.
func digest(f Function) string {
	text, _ := json.Marshal(f.Config) // plain data cannot fail
	sum := sha256.Sum256(append(text, f.CodeSHA256...))
	return hex.EncodeToString(sum[:])
}

// PublishVersion makes a version of the function as it is now, which never changes, and gives it. Without a change of code or
// configuration since the last one it gives that one again. codeSHA256 and revisionID, if not "", must be the function's present ones;
// description, if not nil, is the version's own.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (h *Host) PublishVersion(r Ref, revisionID, codeSHA256 string, description *string) (Function, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, revisionID)
	if err != nil {
		return Function{}, err
	}
	if codeSHA256 != "" && codeSHA256 != rev.function.CodeSHA256 {
		return Function{}, errorf(InvalidParameterValue, "CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.",
			codeSHA256, rev.function.CodeSHA256)
	}
	fam := rev.family
	made := digest(rev.function)
	if n := len(fam.versions); n > 0 && fam.published == made {
		return fam.versions[n-1].snapshot(), nil
	}
	f := rev.snapshot()
	f.Version, f.Tags = strconv.Itoa(fam.next), nil
	f.RevisionID = uuid.NewString()
	if description != nil {
		f.Description = *description
	}
	rev.hold()
	v := newRevision(h, fam, f, rev.code, rev.layers)
	fam.versions, fam.published = append(fam.versions, v), made
	fam.next++
	h.keep(fam)
	return v.snapshot(), nil
}

// Versions gives $LATEST and every published version, in their order.
func (h *Host) Versions(r Ref) ([]Function, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return nil, err
	}
	var all []Function
	for _, v := range rev.family.revisions() {
		all = append(all, v.snapshot())
	}
	return all, nil
}

// deleteVersion removes one version, which no alias may name. The caller holds h.mu.
func (h *Host) deleteVersion(fam *family, r Ref) error {
	switch {
	case r.Qualifier == Latest:
		return errorf(InvalidParameterValue, "$LATEST version cannot be deleted without deleting the function.")
	case fam.aliases[r.Qualifier].Name != "":
		return errorf(InvalidParameterValue, "Deletion of aliases is not currently supported.")
	}
	for _, name := range slices.Sorted(maps.Keys(fam.aliases)) {
		a := fam.aliases[name]
		if _, weighed := a.Weights[r.Qualifier]; weighed || a.FunctionVersion == r.Qualifier {
			return errorf(ResourceConflict, "Unable to delete version because the following aliases reference it: [%s]", name)
		}
	}
	for i, v := range fam.versions {
		if v.function.Version != r.Qualifier {
			continue
		}
		if i == len(fam.versions)-1 {
			fam.published = ""
		}
		fam.versions = slices.Delete(fam.versions, i, i+1)
		delete(fam.provisioned, r.Qualifier)
		delete(fam.async, r.Qualifier)
		h.keep(fam)
		v.retire()
		break
	}
	return nil
}

// Alias is a name for a version, or for two.
type Alias struct {
	Name, Description string
	// FunctionVersion is a number or [Latest].
	FunctionVersion string
	// Weights has at most one other version, with the share of invocations that it gets, 0 to 1.
	Weights map[string]float64 `json:",omitempty"`
	// RevisionID changes with every change.
	RevisionID string
	// ARN is the function's, qualified by the name.
	ARN string
}

// snapshot is the alias for a caller, who may do with it what he likes.
func (a Alias) snapshot() Alias {
	a.Weights = maps.Clone(a.Weights)
	return a
}

// CreateAlias adds an alias to a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
func (h *Host) CreateAlias(r Ref, a Alias) (Alias, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, "")
	if err != nil {
		return Alias{}, err
	}
	a.ARN = h.ARN(Ref{r.Name, a.Name})
	if _, found := rev.family.aliases[a.Name]; found {
		return Alias{}, errorf(ResourceConflict, "Alias already exists: %s", a.ARN)
	}
	return h.setAlias(r, rev.family, a)
}

// setAlias checks an alias and keeps it.
func (h *Host) setAlias(r Ref, fam *family, a Alias) (Alias, error) {
	for _, version := range append([]string{a.FunctionVersion}, slices.Collect(maps.Keys(a.Weights))...) {
		if fam.version(version) == nil {
			return Alias{}, errorf(ResourceNotFound, "Function not found: %s", h.ARN(Ref{r.Name, version}))
		}
	}
	if len(a.Weights) > 1 {
		return Alias{}, errorf(InvalidParameterValue, "Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version := range a.Weights {
		if version == a.FunctionVersion {
			return Alias{}, errorf(InvalidParameterValue, "Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
		}
		if version == Latest || a.FunctionVersion == Latest {
			return Alias{}, errorf(InvalidParameterValue, "$LATEST is not supported for an alias pointing to more than 1 version")
		}
	}
	a = a.snapshot()
	a.RevisionID = uuid.NewString()
	fam.aliases[a.Name] = a
	h.keep(fam)
	return a.snapshot(), nil
}

// Alias gives an alias of a function.
func (h *Host) Alias(r Ref, name string) (Alias, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, a, err := h.alias(r, name)
	return a.snapshot(), err
}

func (h *Host) alias(r Ref, name string) (*family, Alias, error) {
	rev, err := h.expect(r, "")
	if err != nil {
		return nil, Alias{}, err
	}
	a, found := rev.family.aliases[name]
	if !found {
		return nil, Alias{}, errorf(ResourceNotFound, "Cannot find alias arn: %s", h.ARN(Ref{r.Name, name}))
	}
	return rev.family, a, nil
}

// Aliases gives every alias of a function, sorted by name, those of one version alone if it is not "".
func (h *Host) Aliases(r Ref, version string) ([]Alias, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, "")
	if err != nil {
		return nil, err
	}
	var all []Alias
	for _, a := range rev.family.aliases {
		if _, weighed := a.Weights[version]; version == "" || version == a.FunctionVersion || weighed {
			all = append(all, a.snapshot())
		}
	}
	slices.SortFunc(all, func(a, b Alias) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// UpdateAlias applies change to an alias. revisionID, if not "", must be its present one.
func (h *Host) UpdateAlias(r Ref, name, revisionID string, change func(*Alias)) (Alias, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fam, a, err := h.alias(r, name)
	if err != nil {
		return Alias{}, err
	}
	if revisionID != "" && revisionID != a.RevisionID {
		return Alias{}, errorf(PreconditionFailed, "The Revision Id provided does not match the latest Revision Id. Call the GetAlias API to retrieve the latest Revision Id")
	}
	a = a.snapshot()
	change(&a)
	return h.setAlias(r, fam, a)
}

// DeleteAlias removes an alias; one that is not there is no error, as on AWS.
func (h *Host) DeleteAlias(r Ref, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, "")
	if err != nil {
		return err
	}
	fam := rev.family
	if _, found := fam.aliases[name]; found {
		delete(fam.aliases, name)
		delete(fam.provisioned, name)
		delete(fam.async, name)
		h.keep(fam)
	}
	return nil
}

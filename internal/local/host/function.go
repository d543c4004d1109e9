package host

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Config is what a caller decides about a function. The host takes it as checked.
type Config struct {
	Name, Description, Role string
	// Runtime is "provided.al2023" or "provided.al2": the code brings its own.
	Runtime string
	// Handler reaches the process as _HANDLER; a bootstrap may do with it what it likes.
	Handler string
	// Architecture is "x86_64" or "arm64". It is kept and shown; what counts when a process starts is the executable itself.
	Architecture string
	// Timeout limits one invocation, 1 s to 15 min.
	Timeout time.Duration
	// MemorySize in MB reaches the process as AWS_LAMBDA_FUNCTION_MEMORY_SIZE; it is no limit here.
	MemorySize int
	// Environment is added to what the host sets; it must not hold a reserved key.
	Environment map[string]string
	// LogGroup is where logs go; "" means /aws/lambda/NAME.
	LogGroup string
	// LogFormat is "JSON" or, also when "", "Text".
	LogFormat string `json:",omitempty"`
	// ApplicationLogLevel and SystemLogLevel are the least levels that are kept of JSON logs; "" is INFO.
	ApplicationLogLevel, SystemLogLevel string `json:",omitempty"`
	// DeadLetterARN is where events go that an asynchronous invocation gave up, "" for nowhere.
	DeadLetterARN string `json:",omitempty"`
	// Tracing is "Active" or, also when "", "PassThrough". Nothing is traced: Active only marks the trace's header as sampled.
	Tracing string `json:",omitempty"`
	// EphemeralStorage is the size of /tmp in MB, 512 to 10240, 0 for 512. KMSKeyARN is the environment's key. VPC is the network. The
	// three are kept and shown.
	EphemeralStorage int    `json:",omitempty"`
	KMSKeyARN        string `json:",omitempty"`
	VPC              *VPC   `json:",omitempty"`
	// Layers are unpacked for the process, the first one first.
	Layers []FunctionLayer `json:",omitempty"`
}

// VPC is the network that a function is said to be in. It is in none here.
type VPC struct {
	Subnets, SecurityGroups []string
	IPv6                    bool
}

// Function is a function as it stood when it was asked for. Its maps are the caller's own.
type Function struct {
	Config
	// ARN is unqualified.
	ARN string
	// Version is [Latest] or a published version's number.
	Version string
	// CodeSHA256 is base64 of the package's SHA-256, CodeSize its size in bytes.
	CodeSHA256   string
	CodeSize     int64
	LastModified time.Time
	// RevisionID changes with every change of code or configuration.
	RevisionID string
	Tags       map[string]string
}

// snapshot is the revision's function for a caller, who may do with it what he likes. The caller holds h.mu.
func (r *revision) snapshot() Function {
	f := r.function
	f.Environment, f.Layers = maps.Clone(f.Environment), slices.Clone(f.Layers)
	f.Tags = maps.Clone(r.tags)
	return f
}

// Create adds a function and unpacks its package, a zip.
func (h *Host) Create(c Config, tags map[string]string, zip []byte) (Function, error) {
	if h.has(c.Name) {
		return Function{}, errorf(ResourceConflict, "Function already exist: %s", c.Name)
	}
	code, err := h.takeIn(c.Name, zip)
	if err != nil {
		return Function{}, err
	}
	layers, err := h.overlay(c.Name, c.Layers)
	if err == nil {
		err = checkSizes(code, layers)
	}
	if err != nil {
		dropAll(code, layers)
		return Function{}, err
	}
	f := Function{Config: c, Tags: maps.Clone(tags)}
	f.Environment = maps.Clone(c.Environment)
	if f.LogGroup == "" {
		f.LogGroup = "/aws/lambda/" + f.Name
	}
	f.ARN = h.ARN(Ref{Name: f.Name})
	f.setCode(zip)

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		dropAll(code, layers)
		return Function{}, ErrClosed
	}
	if h.functions[c.Name] != nil {
		dropAll(code, layers)
		return Function{}, errorf(ResourceConflict, "Function already exist: %s", c.Name)
	}
	return h.replace(f, code, layers), nil
}

func (h *Host) has(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.functions[name] != nil
}

func (f *Function) setCode(zip []byte) {
	sum := sha256.Sum256(zip)
	f.CodeSHA256, f.CodeSize = base64.StdEncoding.EncodeToString(sum[:]), int64(len(zip))
}

// replace makes f, with code and layers, what invocations of $LATEST run from now on; those in flight end on the revision they began
// with. The caller holds h.mu and hands over its holds.
func (h *Host) replace(f Function, code, layers *code) Function {
	f.RevisionID, f.LastModified, f.Version = uuid.NewString(), h.opts.Clock.Now(), Latest
	fam := h.functions[f.Name]
	if fam == nil {
		fam = newFamily()
		h.functions[f.Name] = fam
	}
	old := fam.latest
	fam.latest = newRevision(h, fam, f, code, layers)
	h.keep(fam)
	if old != nil {
		old.retire()
	}
	return fam.latest.snapshot()
}

// find gives the revision that a reference means. The caller holds h.mu.
func (h *Host) find(r Ref) (*revision, error) {
	fam := h.functions[r.Name]
	if fam != nil {
		if rev := fam.resolve(r.Qualifier); rev != nil {
			return rev, nil
		}
	}
	return nil, errorf(ResourceNotFound, "Function not found: %s", h.ARN(r))
}

// Get gives a function, or the version that a qualifier means.
func (h *Host) Get(r Ref) (Function, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return Function{}, err
	}
	f := rev.snapshot()
	f.Tags = maps.Clone(rev.family.latest.tags)
	return f, nil
}

// List gives every function, sorted by name.
func (h *Host) List() []Function {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Function, 0, len(h.functions))
	for _, fam := range h.functions {
		all = append(all, fam.latest.snapshot())
	}
	slices.SortFunc(all, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// UpdateConfiguration applies change to a function's configuration; nothing changes when it gives an error. revisionID, if
// not "", must be the function's present one.
func (h *Host) UpdateConfiguration(r Ref, revisionID string, change func(*Config) error) (Function, error) {
	for {
		f, done, err := h.tryUpdate(r, revisionID, change)
		if done || err != nil {
			return f, err
		}
	}
}

// tryUpdate is UpdateConfiguration; it is not done when another update came while layers were unpacked.
func (h *Host) tryUpdate(r Ref, revisionID string, change func(*Config) error) (_ Function, done bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, revisionID)
	if err != nil {
		return Function{}, false, err
	}
	f := rev.snapshot()
	if err := change(&f.Config); err != nil {
		return Function{}, false, err
	}
	if slices.Equal(f.Layers, rev.function.Layers) {
		rev.hold()
		return h.replace(f, rev.code, rev.layers), true, nil
	}
	h.mu.Unlock()
	layers, err := h.overlay(r.Name, f.Layers)
	if err == nil {
		err = checkSizes(rev.code, layers)
	}
	h.mu.Lock()
	if fam := h.functions[r.Name]; err != nil || h.isClosed() || fam == nil || fam.latest != rev {
		dropAll(layers)
		return Function{}, false, err
	}
	rev.code.hold()
	return h.replace(f, rev.code, layers), true, nil
}

// expect is find for an operation on the function itself, which no version or alias can have.
func (h *Host) expect(r Ref, revisionID string) (*revision, error) {
	rev, err := h.unqualified(r)
	if err != nil {
		return nil, err
	}
	if revisionID != "" && revisionID != rev.function.RevisionID {
		return nil, errorf(PreconditionFailed, "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetFunctionConfiguration API to retrieve the latest RevisionId for your resource.")
	}
	return rev, nil
}

// UpdateCode replaces a function's package. architecture, if not "", replaces the configuration's; revisionID, if not "",
// must be the function's present one.
func (h *Host) UpdateCode(r Ref, revisionID, architecture string, zip []byte) (Function, error) {
	if _, err := h.Get(r); err != nil {
		return Function{}, err
	}
	code, err := h.takeIn(r.Name, zip)
	if err != nil {
		return Function{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.expect(r, revisionID)
	if err == nil {
		err = checkSizes(code, rev.layers)
	}
	if err != nil {
		code.drop()
		return Function{}, err
	}
	f := rev.snapshot()
	f.setCode(zip)
	if architecture != "" {
		f.Architecture = architecture
	}
	if rev.layers != nil {
		rev.layers.hold()
	}
	return h.replace(f, code, rev.layers), nil
}

// UpdateTags applies change to a function's tags.
func (h *Host) UpdateTags(r Ref, change func(tags map[string]string)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.unqualified(r)
	if err != nil {
		return err
	}
	change(rev.tags)
	h.keep(rev.family)
	return nil
}

// Delete removes a function with its versions and aliases, or one version. Invocations in flight run to their end.
func (h *Host) Delete(r Ref) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fam := h.functions[r.Name]
	if fam == nil {
		return errorf(ResourceNotFound, "Function not found: %s", h.ARN(r))
	}
	if r.Qualifier != "" {
		return h.deleteVersion(fam, r)
	}
	delete(h.functions, r.Name)
	if h.journal != nil {
		h.journal.Delete(r.Name)
	}
	for _, rev := range fam.revisions() {
		rev.retire()
	}
	return nil
}

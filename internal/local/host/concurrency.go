package host

import (
	"maps"
	"slices"
	"time"
)

// minUnreserved is how many concurrent invocations an account keeps for functions that reserve none.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const minUnreserved = 100

// Reserve sets how many invocations of a function may run at once, which no other function can take from it; 0 throttles all.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (h *Host) Reserve(r Ref, n int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.unqualified(r)
	if err != nil {
		return err
	}
	fam := rev.family
	free := h.unreserved()
	if fam.reserved != nil {
		free += *fam.reserved
	}
	if free-n < minUnreserved {
		return errorf(InvalidParameterValue, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	fam.reserved = &n
	h.keep(fam)
	return nil
}

// Unreserve ends what [Host.Reserve] began; where nothing is reserved it does nothing.
func (h *Host) Unreserve(r Ref) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.unqualified(r)
	if err != nil {
		return err
	}
	rev.family.reserved = nil
	h.keep(rev.family)
	return nil
}

// Reserved gives a function's reserved concurrency, nil for none.
func (h *Host) Reserved(r Ref) (*int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil || rev.family.reserved == nil {
		return nil, err
	}
	return new(*rev.family.reserved), nil
}

// unqualified is find for what is set for a function as a whole.
func (h *Host) unqualified(r Ref) (*revision, error) {
	if r.Qualifier != "" && r.Qualifier != Latest {
		return nil, errorf(InvalidParameterValue, "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return h.find(r)
}

// unreserved is what no function has reserved. The caller holds h.mu.
func (h *Host) unreserved() int {
	n := h.opts.Concurrency
	for _, fam := range h.functions {
		if fam.reserved != nil {
			n -= *fam.reserved
		}
	}
	return n
}

// throttled says why one more invocation of a function may not run now. The caller holds h.mu.
func (h *Host) throttled(fam *family) error {
	refused := func(reason string) error {
		return &Error{Code: TooManyRequests, Message: "Rate Exceeded.", Reason: reason}
	}
	if fam.reserved != nil {
		if fam.running >= *fam.reserved {
			return refused(ReservedLimit)
		}
		return nil
	}
	running := 0
	for _, other := range h.functions {
		if other.reserved == nil {
			running += other.running
		}
	}
	if running >= h.unreserved() {
		return refused("ConcurrentInvocationLimitExceeded")
	}
	return nil
}

// Account is what the account has of Lambda in this region.
type Account struct {
	ConcurrentExecutions, UnreservedConcurrentExecutions int
	// FunctionCount counts functions, CodeSize the bytes of the packages of all their versions and of layers.
	FunctionCount, CodeSize int64
}

// Account gives what is used of the account's limits.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
func (h *Host) Account() Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := Account{ConcurrentExecutions: h.opts.Concurrency, UnreservedConcurrentExecutions: h.unreserved(), FunctionCount: int64(len(h.functions))}
	for _, fam := range h.functions {
		for _, rev := range fam.revisions() {
			a.CodeSize += rev.function.CodeSize
		}
	}
	for _, l := range h.layers {
		for _, v := range l.Versions {
			a.CodeSize += v.CodeSize
		}
	}
	return a
}

// Provisioned is the provisioned concurrency of an alias or a version. It is kept and described: no process is started ahead.
type Provisioned struct {
	Requested    int
	LastModified time.Time
}

// Provision sets the provisioned concurrency of an alias or a version.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
func (h *Host) Provision(r Ref, n int) (Provisioned, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fam, err := h.published(r)
	if err != nil {
		return Provisioned{}, err
	}
	total := n
	for qualifier, p := range fam.provisioned {
		if qualifier != r.Qualifier {
			total += p.Requested
		}
	}
	if fam.reserved != nil && total > *fam.reserved {
		return Provisioned{}, errorf(InvalidParameterValue, "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	}
	if fam.reserved == nil && h.unreserved()-total < minUnreserved {
		return Provisioned{}, errorf(InvalidParameterValue, "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	p := Provisioned{n, h.opts.Clock.Now()}
	fam.provisioned[r.Qualifier] = p
	h.keep(fam)
	return p, nil
}

func (h *Host) published(r Ref) (*family, error) {
	rev, err := h.find(r)
	if err != nil {
		return nil, err
	}
	if r.Qualifier == "" || r.Qualifier == Latest {
		return nil, errorf(InvalidParameterValue, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	return rev.family, nil
}

// Provisioned gives the provisioned concurrency of an alias or a version.
func (h *Host) Provisioned(r Ref) (Provisioned, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fam, err := h.published(r)
	if err != nil {
		return Provisioned{}, err
	}
	p, found := fam.provisioned[r.Qualifier]
	if !found {
		return p, errorf(NoProvisioned, "No Provisioned Concurrency Config found for this function")
	}
	return p, nil
}

// ProvisionedAll gives the qualifiers of a function that have provisioned concurrency, sorted, and what each has.
func (h *Host) ProvisionedAll(r Ref) ([]string, map[string]Provisioned, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return nil, nil, err
	}
	return slices.Sorted(maps.Keys(rev.family.provisioned)), maps.Clone(rev.family.provisioned), nil
}

// Unprovision ends what [Host.Provision] began.
func (h *Host) Unprovision(r Ref) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fam, err := h.published(r)
	if err != nil {
		return err
	}
	delete(fam.provisioned, r.Qualifier)
	h.keep(fam)
	return nil
}

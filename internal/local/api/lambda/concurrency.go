package lambda

import (
	"net/http"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type concurrency struct{ ReservedConcurrentExecutions int }

func (a *api) routeConcurrency(route router) {
	const path = "/functions/{name}/concurrency"
	route("PUT /2017-10-31"+path, nil, a.putConcurrency)
	route("DELETE /2017-10-31"+path, nil, a.deleteConcurrency)
	route("GET /2019-09-30"+path, nil, a.getConcurrency)
	const provisioned = "/2019-09-30/functions/{name}/provisioned-concurrency"
	qualifier := []string{"Qualifier"}
	route("PUT "+provisioned, qualifier, a.putProvisioned)
	route("GET "+provisioned, []string{"Qualifier", "List", "Marker", "MaxItems"}, a.getProvisioned)
	route("DELETE "+provisioned, qualifier, a.deleteProvisioned)
	for _, end := range []string{"", "/{$}"} { // some SDKs send the slash
		route("GET /2016-08-19/account-settings"+end, nil, a.accountSettings)
	}
}

// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (a *api) putConcurrency(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[struct{ ReservedConcurrentExecutions *int }](r, "PutFunctionConcurrency")
	if err != nil {
		return wire.Response{}, err
	}
	n := in.ReservedConcurrentExecutions
	var c constraints
	c.present(n != nil, "reservedConcurrentExecutions")
	if n != nil {
		c.need(*n >= 0, "reservedConcurrentExecutions", *n, "have value greater than or equal to 0")
	}
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	if err := a.functions.Reserve(ref, *n); err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: concurrency{*n}}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
func (a *api) getConcurrency(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	n, err := a.functions.Reserved(ref)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: struct {
		ReservedConcurrentExecutions *int `json:",omitempty"`
	}{n}}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
func (a *api) deleteConcurrency(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.Unreserve(ref)
}

// provisionedConfig is provisioned concurrency as the API shows it: ready at once.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
type provisionedConfig struct {
	FunctionArn                              string `json:",omitempty"`
	AllocatedProvisionedConcurrentExecutions int
	AvailableProvisionedConcurrentExecutions int
	RequestedProvisionedConcurrentExecutions int
	LastModified, Status                     string
}

func provisionedOf(p host.Provisioned) provisionedConfig {
	return provisionedConfig{
		AllocatedProvisionedConcurrentExecutions: p.Requested, AvailableProvisionedConcurrentExecutions: p.Requested,
		RequestedProvisionedConcurrentExecutions: p.Requested, LastModified: p.LastModified.UTC().Format("2006-01-02T15:04:05+0000"), Status: "READY",
	}
}

// https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
func (a *api) putProvisioned(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[struct{ ProvisionedConcurrentExecutions *int }](r, "PutProvisionedConcurrencyConfig")
	if err != nil {
		return wire.Response{}, err
	}
	n := in.ProvisionedConcurrentExecutions
	var c constraints
	c.present(n != nil, "provisionedConcurrentExecutions")
	if n != nil {
		c.need(*n >= 1, "provisionedConcurrentExecutions", *n, "have value greater than or equal to 1")
	}
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	p, err := a.functions.Provision(ref, *n)
	if err != nil {
		return wire.Response{}, err
	}
	out := provisionedOf(p) // AWS answers IN_PROGRESS; the next read finds it ready
	out.Status, out.AllocatedProvisionedConcurrentExecutions, out.AvailableProvisionedConcurrentExecutions = "IN_PROGRESS", 0, 0
	return wire.Response{Status: http.StatusAccepted, Body: out}, nil
}

type listProvisionedOutput struct {
	ProvisionedConcurrencyConfigs []provisionedConfig
	NextMarker                    string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
func (a *api) getProvisioned(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	if r.URL.Query().Get("List") != "ALL" {
		p, err := a.functions.Provisioned(ref)
		if err != nil {
			return wire.Response{}, err
		}
		return wire.Response{Body: provisionedOf(p)}, nil
	}
	f, err := a.functions.Get(ref)
	if err != nil {
		return wire.Response{}, err
	}
	qualifiers, all, err := a.functions.ProvisionedAll(ref)
	if err != nil {
		return wire.Response{}, err
	}
	page, next, err := paginate(r, qualifiers, 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listProvisionedOutput{ProvisionedConcurrencyConfigs: []provisionedConfig{}, NextMarker: next}
	for _, q := range page {
		p := provisionedOf(all[q])
		p.FunctionArn = f.ARN + ":" + q
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, p)
	}
	return wire.Response{Body: out}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html
func (a *api) deleteProvisioned(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.Unprovision(ref)
}

type accountSettingsOutput struct {
	AccountLimit struct {
		TotalCodeSize, CodeSizeUnzipped, CodeSizeZipped      int64
		ConcurrentExecutions, UnreservedConcurrentExecutions int
	}
	AccountUsage struct{ TotalCodeSize, FunctionCount int64 }
}

// maxTotalCode is how much code an account may have on AWS, in bytes. Here nothing limits it.
const maxTotalCode = 75 << 30

// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
func (a *api) accountSettings(*http.Request) (wire.Response, error) {
	account := a.functions.Account()
	var out accountSettingsOutput
	out.AccountLimit.TotalCodeSize, out.AccountLimit.CodeSizeUnzipped, out.AccountLimit.CodeSizeZipped = maxTotalCode, host.MaxUnpacked, host.MaxPackage
	out.AccountLimit.ConcurrentExecutions = account.ConcurrentExecutions
	out.AccountLimit.UnreservedConcurrentExecutions = account.UnreservedConcurrentExecutions
	out.AccountUsage.TotalCodeSize, out.AccountUsage.FunctionCount = account.CodeSize, account.FunctionCount
	return wire.Response{Body: out}, nil
}

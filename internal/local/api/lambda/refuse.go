package lambda

import (
	"net/http"

	"streamgen/internal/local/wire"
)

// refuseRest answers for everything that no other pattern takes. The operations that people are likely to meet are
// refused by their names.
func refuseRest(mux *http.ServeMux) {
	const function = "/2015-03-31/functions/{name}"
	for pattern, operation := range map[string]string{
		"POST /2018-10-31/layers/{layer}/versions/{version}/policy":        "AddLayerVersionPermission",
		"GET /2018-10-31/layers/{layer}/versions/{version}/policy":         "GetLayerVersionPolicy",
		"POST " + function + "/policy":                                     "AddPermission",
		"GET " + function + "/policy":                                      "GetPolicy",
		"DELETE " + function + "/policy/{statement}":                       "RemovePermission",
		"PUT /2020-06-30/functions/{name}/code-signing-config":             "PutFunctionCodeSigningConfig",
		"DELETE /2020-06-30/functions/{name}/code-signing-config":          "DeleteFunctionCodeSigningConfig",
		"POST /2021-10-31/functions/{name}/url":                            "CreateFunctionUrlConfig",
		"GET /2021-10-31/functions/{name}/url":                             "GetFunctionUrlConfig",
		"POST /2021-11-15/functions/{name}/response-streaming-invocations": "InvokeWithResponseStream",
		"POST /2014-11-13/functions/{name}/invoke-async":                   "InvokeAsync",
		"PUT /2021-07-20/functions/{name}/runtime-management-config":       "PutRuntimeManagementConfig",
		"GET /2021-07-20/functions/{name}/runtime-management-config":       "GetRuntimeManagementConfig",
		"PUT /2024-08-31/functions/{name}/recursion-config":                "PutFunctionRecursionConfig",
		"GET /2024-08-31/functions/{name}/recursion-config":                "GetFunctionRecursionConfig",
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			wire.WriteRESTError(w, wire.Errorf("UnknownOperationException", "streamgen local does not emulate %s of Lambda", operation))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		wire.WriteRESTError(w, wire.Errorf("UnknownOperationException", "streamgen local does not emulate %s %s of Lambda", r.Method, r.URL.Path))
	})
}

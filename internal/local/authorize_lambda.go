package local

import (
	"net/http"
	"net/url"
	"strings"
)

// lambdaRows are what Lambda's operations need, by the pattern of their requests.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
var lambdaRows = map[string]row{
	"POST /2015-03-31/functions":                      createFunctionNeeds,
	"GET /2015-03-31/functions":                       onNoFunction("ListFunctions"),
	"GET /2015-03-31/functions/{name}":                onFunction("GetFunction"),
	"DELETE /2015-03-31/functions/{name}":             onFunction("DeleteFunction"),
	"GET /2015-03-31/functions/{name}/configuration":  onFunction("GetFunctionConfiguration"),
	"PUT /2015-03-31/functions/{name}/configuration":  updateFunctionNeeds,
	"PUT /2015-03-31/functions/{name}/code":           onFunction("UpdateFunctionCode"),
	"POST /2015-03-31/functions/{name}/invocations":   onFunction("InvokeFunction"),
	"POST /2014-11-13/functions/{name}/invoke-async":  onFunction("InvokeFunction"),
	"GET /2015-03-31/functions/{name}/versions":       onFunction("ListVersionsByFunction"),
	"POST /2015-03-31/functions/{name}/versions":      onFunction("PublishVersion"),
	"GET /2015-03-31/functions/{name}/aliases":        onFunction("ListAliases"),
	"POST /2015-03-31/functions/{name}/aliases":       onFunction("CreateAlias"),
	"GET /2015-03-31/functions/{name}/policy":         onFunction("GetPolicy"),
	"POST /2015-03-31/functions/{name}/policy":        onFunction("AddPermission"),
	"GET /2017-03-31/tags/{arn}":                      onARN("ListTags"),
	"POST /2017-03-31/tags/{arn}":                     onARN("TagResource"),
	"DELETE /2017-03-31/tags/{arn}":                   onARN("UntagResource"),
	"POST /2015-03-31/event-source-mappings":          mappingNeeds("CreateEventSourceMapping", false),
	"GET /2015-03-31/event-source-mappings":           onNoFunction("ListEventSourceMappings"),
	"GET /2015-03-31/event-source-mappings/{uuid}":    mappingNeeds("GetEventSourceMapping", true),
	"PUT /2015-03-31/event-source-mappings/{uuid}":    mappingNeeds("UpdateEventSourceMapping", true),
	"DELETE /2015-03-31/event-source-mappings/{uuid}": mappingNeeds("DeleteEventSourceMapping", true),

	"GET /2015-03-31/functions/{name}/aliases/{alias}":        onFunction("GetAlias"),
	"PUT /2015-03-31/functions/{name}/aliases/{alias}":        onFunction("UpdateAlias"),
	"DELETE /2015-03-31/functions/{name}/aliases/{alias}":     onFunction("DeleteAlias"),
	"DELETE /2015-03-31/functions/{name}/policy/{statement}":  onFunction("RemovePermission"),
	"PUT /2017-10-31/functions/{name}/concurrency":            onFunction("PutFunctionConcurrency"),
	"GET /2019-09-30/functions/{name}/concurrency":            onFunction("GetFunctionConcurrency"),
	"DELETE /2017-10-31/functions/{name}/concurrency":         onFunction("DeleteFunctionConcurrency"),
	"PUT /2019-09-25/functions/{name}/event-invoke-config":    onFunction("PutFunctionEventInvokeConfig"),
	"POST /2019-09-25/functions/{name}/event-invoke-config":   onFunction("UpdateFunctionEventInvokeConfig"),
	"GET /2019-09-25/functions/{name}/event-invoke-config":    onFunction("GetFunctionEventInvokeConfig"),
	"DELETE /2019-09-25/functions/{name}/event-invoke-config": onFunction("DeleteFunctionEventInvokeConfig"),
	"GET /2020-06-30/functions/{name}/code-signing-config":    onFunction("GetFunctionCodeSigningConfig"),
	"GET /2016-08-19/account-settings":                        onNoFunction("GetAccountSettings"),

	"PUT /2019-09-30/functions/{name}/provisioned-concurrency":    onFunction("PutProvisionedConcurrencyConfig"),
	"GET /2019-09-30/functions/{name}/provisioned-concurrency":    onFunction("GetProvisionedConcurrencyConfig"),
	"DELETE /2019-09-30/functions/{name}/provisioned-concurrency": onFunction("DeleteProvisionedConcurrencyConfig"),

	"POST /2018-10-31/layers/{layer}/versions":                  onLayer("PublishLayerVersion"),
	"GET /2018-10-31/layers/{layer}/versions":                   onLayer("ListLayerVersions"),
	"GET /2018-10-31/layers/{layer}/versions/{version}":         onLayer("GetLayerVersion"),
	"DELETE /2018-10-31/layers/{layer}/versions/{version}":      onLayer("DeleteLayerVersion"),
	"GET /2018-10-31/layers":                                    onNoFunction("ListLayers"),
	"GET /2019-09-25/functions/{name}/event-invoke-config/list": onFunction("ListFunctionEventInvokeConfigs"),
}

// lambdaOperation is the pattern that serves a request.
func lambdaOperation(c *roleCall) string {
	routes, ok := c.in.lambda.(interface {
		Handler(*http.Request) (http.Handler, string)
	})
	if !ok {
		return ""
	}
	_, pattern := routes.Handler(c.request)
	return strings.TrimSuffix(pattern, "/{$}")
}

// pathValue gives the part of a request's path that stands after another, or "".
func pathValue(r *http.Request, after string) string {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for i, part := range parts[:len(parts)-1] {
		if part == after {
			value, _ := url.PathUnescape(parts[i+1]) // a path that is none names nothing
			return value
		}
	}
	return ""
}

// functionARN gives the ARN that a name of a function, in any of its forms, means.
func (c *roleCall) functionARN(name string) string {
	ref, err := c.in.functions.Parse(name)
	if err != nil {
		return c.arn("lambda", "function:"+name) // which the front end refuses
	}
	arn := c.arn("lambda", "function:"+ref.Name)
	if ref.Qualifier != "" {
		arn += ":" + ref.Qualifier
	}
	return arn
}

func onFunction(action string) row {
	return func(c *roleCall) ([]need, error) {
		arn := c.functionARN(pathValue(c.request, "functions"))
		if q := c.request.URL.Query().Get("Qualifier"); q != "" && !strings.HasSuffix(arn, ":"+q) {
			arn += ":" + q
		}
		return []need{{action: "lambda:" + action, resource: arn}}, nil
	}
}

func onNoFunction(action string) row {
	return func(*roleCall) ([]need, error) { return []need{{action: "lambda:" + action, resource: "*"}}, nil }
}

func onARN(action string) row {
	return func(c *roleCall) ([]need, error) {
		return []need{{action: "lambda:" + action, resource: pathValue(c.request, "tags")}}, nil
	}
}

// onLayer is about a layer, or about the version of one that the path names.
func onLayer(action string) row {
	return func(c *roleCall) ([]need, error) {
		arn := c.arn("lambda", "layer:"+pathValue(c.request, "layers"))
		if version := pathValue(c.request, "versions"); version != "" {
			arn += ":" + version
		}
		return []need{{action: "lambda:" + action, resource: arn}}, nil
	}
}

// passRole is what giving a role to Lambda needs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passRole(arn string) need {
	return need{action: "iam:PassRole", resource: arn, keys: map[string][]string{"iam:passedtoservice": {lambdaService}}}
}

func createFunctionNeeds(c *roleCall) ([]need, error) {
	var in struct {
		FunctionName, Role, KMSKeyArn string
		Tags                          map[string]string
		Environment                   struct{ Variables map[string]string }
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	function := c.functionARN(in.FunctionName)
	needs := []need{{action: "lambda:CreateFunction", resource: function}, passRole(in.Role)}
	if len(in.Tags) > 0 {
		needs = append(needs, need{action: "lambda:TagResource", resource: function})
	}
	return append(needs, c.environmentKeys(in.KMSKeyArn, function, in.Environment.Variables)...), nil
}

// environmentKeys: who gives a function an environment that is encrypted encrypts it, and lets the function's role use the key.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
func (c *roleCall) environmentKeys(key, function string, variables map[string]string) []need {
	return c.in.keyNeeds(c.region, functionSeal(key, function, variables), "Encrypt", "CreateGrant")
}

func updateFunctionNeeds(c *roleCall) ([]need, error) {
	var in struct {
		Role        string
		KMSKeyArn   *string
		Environment *struct{ Variables map[string]string }
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	needs, err := onFunction("UpdateFunctionConfiguration")(c)
	if in.Role != "" {
		needs = append(needs, passRole(in.Role))
	}
	if ref, wrong := c.in.functions.Parse(pathValue(c.request, "functions")); wrong == nil && (in.KMSKeyArn != nil || in.Environment != nil) {
		now, _ := c.in.functions.Get(ref) // one that there is not has nothing
		if in.KMSKeyArn != nil {
			now.KMSKeyARN = *in.KMSKeyArn
		}
		if in.Environment != nil {
			now.Environment = in.Environment.Variables
		}
		needs = append(needs, c.environmentKeys(now.KMSKeyARN, c.arn("lambda", "function:"+ref.Name), now.Environment)...)
	}
	return needs, err
}

// mappingNeeds: a mapping is made on no resource of its own, and its function is a condition's.
func mappingNeeds(action string, exists bool) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			FunctionName string
			Tags         map[string]string
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		n := need{action: "lambda:" + action, resource: "*"}
		if exists {
			id := pathValue(c.request, "event-source-mappings")
			n.resource = c.arn("lambda", "event-source-mapping:"+id)
			if m, err := c.in.mappings.Get(id); err == nil {
				n.keys = map[string][]string{"lambda:functionarn": {m.FunctionARN}}
			}
		}
		if in.FunctionName != "" {
			n.keys = map[string][]string{"lambda:functionarn": {c.functionARN(in.FunctionName)}}
		}
		needs := []need{n}
		if len(in.Tags) > 0 {
			needs = append(needs, need{action: "lambda:TagResource", resource: c.arn("lambda", "event-source-mapping:*")})
		}
		return needs, nil
	}
}

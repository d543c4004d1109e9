package local

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"streamgen/internal/local/api/autoscaling"
	"streamgen/internal/local/api/cloudwatch"
	"streamgen/internal/local/api/iam"
	"streamgen/internal/local/api/logs"
	"streamgen/internal/local/api/s3"
	"streamgen/internal/local/api/sns"
	"streamgen/internal/local/api/sqs"
	"streamgen/internal/local/api/sts"
	"streamgen/internal/local/wire"
)

// regionName is what a region may be called; clients name it, so that it must be harmless wherever it ends up.
var regionName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// datedPath is how paths of Lambda's API begin, and of a few services besides.
var datedPath = regexp.MustCompile(`^/20\d\d-\d\d-\d\d/`)

// destination is where a request belongs.
type destination struct {
	// caller is who asks which service of which region; filled from the protocol where the request is not signed.
	caller    wire.Caller
	operation string
	handler   http.Handler
	// fail answers with an error in the form that the service's clients read.
	fail func(http.ResponseWriter, error)
	// err is why the request has no handler.
	err error
}

// route finds the front end of a request. AWS has a host name for each service; here the protocol and the signature
// tell them apart. A request without signature is served where the protocol alone is clear, in the stack's own region.
func (s *Stack) route(r *http.Request) destination {
	caller, signed := wire.ParseCaller(r)
	caller.Account = Account
	if !signed {
		caller.Region = s.opts.Region
	}
	d := destination{caller: caller, operation: r.Method + " " + r.URL.Path, fail: wire.WriteRESTError}
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		s.routeTarget(&d, target)
	case r.Header.Get("Smithy-Protocol") != "":
		d.fail = wire.WriteCBORError
		s.routeCBOR(&d, r)
	case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		s.routeQuery(&d, r)
	case datedPath.MatchString(r.URL.Path) && (!signed || caller.Service == "lambda"):
		d.caller.Service = "lambda"
		s.routeRegional(&d, func(r *regional) http.Handler { return r.lambda })
	case d.caller.Service == "s3":
		d.fail, d.handler, d.operation = wire.WriteRESTXMLError, s.s3, s3.Name(r)
	default:
		d.err = refuse(&d)
	}
	if err := wire.CheckAuthorization(r); err != nil {
		d.err = err
	}
	return d
}

// refuse says that the stack has no such service, or no such operation of it.
func refuse(d *destination) error {
	switch d.caller.Service {
	case "":
		return wire.Errorf("UnknownOperationException", "streamgen local cannot tell which service %s is for: sign the request", d.operation)
	case "application-autoscaling", "dynamodb", "iam", "kms", "lambda", "logs", "monitoring", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts":
		return wire.Errorf("UnknownOperationException", "streamgen local does not emulate %s of %s", d.operation, d.caller.Service)
	}
	return wire.Errorf("UnknownOperationException", "streamgen local does not emulate the service %s (%s)", d.caller.Service, d.operation)
}

// routeTarget routes AWS JSON, whose target header is "SERVICE_VERSION.Operation".
func (s *Stack) routeTarget(d *destination, target string) {
	prefix, operation, _ := strings.Cut(target, ".")
	d.operation = operation
	version := "1.0"
	of, ofPlatform := platformTargets[prefix]
	if prefix == logs.Target || prefix == autoscaling.Target || ofPlatform && prefix != cloudwatch.Service {
		version = "1.1"
	}
	d.fail = (&wire.JSON{Version: version}).WriteError
	switch prefix {
	case "DynamoDB_20120810":
		d.caller.Service = "dynamodb"
		s.routeRegional(d, func(r *regional) http.Handler { return r.dynamodb })
	case "DynamoDBStreams_20120810":
		d.caller.Service = "streams"
		s.routeRegional(d, func(r *regional) http.Handler { return r.streams })
	case autoscaling.Target:
		d.caller.Service = "application-autoscaling"
		s.routeRegional(d, func(r *regional) http.Handler { return r.autoscaling })
	case logs.Target:
		d.caller.Service = "logs"
		s.routeRegional(d, func(r *regional) http.Handler { return r.logs })
	case sqs.Target:
		d.caller.Service = "sqs"
		d.fail = (&wire.JSON{Version: version, QueryErrors: sqs.QueryErrors}).WriteError
		s.routeRegional(d, func(r *regional) http.Handler { return r.sqs })
	default:
		if ofPlatform {
			d.caller.Service = of.service
			s.routeRegional(d, of.handler)
			return
		}
		if d.caller.Service == "" {
			d.caller.Service = prefix
		}
		d.operation = target
		d.err = refuse(d)
	}
}

// routeCBOR routes Smithy RPC v2 CBOR, whose path names service and operation.
func (s *Stack) routeCBOR(d *destination, r *http.Request) {
	d.operation = wire.CBORName(r.URL.Path)
	if !strings.HasPrefix(r.URL.Path, "/service/"+cloudwatch.Service+"/") {
		d.err = refuse(d)
		return
	}
	d.caller.Service = "monitoring"
	s.routeRegional(d, func(r *regional) http.Handler { return r.cloudwatch.CBOR })
}

// routeQuery routes the Query protocol, whose form names an action and the service's version. It reads the body and
// gives the front end a copy.
func (s *Stack) routeQuery(d *destination, r *http.Request) {
	d.fail = (&wire.Query{}).WriteError
	body, err := wire.ReadBody(r)
	if err != nil {
		d.err = err
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		d.err = wire.Errorf("MalformedQueryString", "%v", err)
		return
	}
	d.operation = form.Get("Action")
	if d.caller.Service == "" {
		d.caller.Service = map[string]string{iam.Version: "iam", sns.Version: "sns", sts.Version: "sts"}[form.Get("Version")]
	}
	roles, identities := s.identityHandlers()
	switch d.caller.Service {
	case "iam":
		d.handler = roles
	case "sns":
		s.routeRegional(d, func(r *regional) http.Handler { return r.sns })
	case "sts":
		d.handler = identities
	default:
		d.err = refuse(d)
	}
}

func (s *Stack) routeRegional(d *destination, handler func(*regional) http.Handler) {
	r, err := s.region(d.caller.Region)
	if err != nil {
		d.err = fmt.Errorf("%s: %w", d.caller.Service, err)
		return
	}
	d.handler = handler(r)
}

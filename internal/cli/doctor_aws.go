package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"streamgen/internal/tf"
)

// stack looks at the local stack, and says what of AWS it has none of.
func (d *doctor) stack(ctx context.Context) []verdict {
	health, err := probeStack(ctx, d.env.endpoint)
	if err != nil {
		found := fmt.Sprintf("there is none on %s: %s", d.env.endpoint, reason(err))
		return []verdict{{problem, "local stack", found, "start it with 'gen local' in another terminal, or name another with --endpoint"}}
	}
	return []verdict{
		ok("local stack", "%s answers, its id is %s", d.env.endpoint, health.ID),
		ok("account, clock and quotas", "not on the local stack: it has any credentials, one account and no limits"),
	}
}

// errElsewhere says that a setting leads requests to this machine.
var errElsewhere = errors.New("AWS_ENDPOINT_URL leads to this machine")

// access is how AWS is asked: once the credentials are known.
type access struct {
	settings    aws.Config
	credentials aws.Credentials
}

// ask gives a function that makes the settings of the AWS SDK and gets the credentials, once for all checks.
func (d *doctor) ask(ctx context.Context) func() (access, error) {
	return sync.OnceValues(func() (access, error) {
		if ambient, _ := tf.CloudEnvironment(d.environ); refuseLoopback(ambient) != nil {
			return access{}, errElsewhere
		}
		settings, err := d.env.aws(ctx, config.WithLogger(logging.Nop{})) // what it warns of is told as a verdict
		if err != nil {
			return access{}, err
		}
		return d.retrieve(ctx, settings)
	})
}

func (d *doctor) retrieve(ctx context.Context, settings aws.Config) (access, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	if settings.Credentials == nil {
		return access{}, errors.New("there are none")
	}
	got, err := settings.Credentials.Retrieve(ctx)
	settings.RetryMaxAttempts = 2 // a person waits
	return access{settings, got}, err
}

// unasked is the verdict of a question that is not put to AWS, because the credentials are missing; their own check says why.
func unasked(what string, err error) verdict {
	if errors.Is(err, errElsewhere) {
		return unmade(what, err.Error(), "")
	}
	return unmade(what, "there are no credentials", "")
}

// unanswered is the verdict of a question that AWS did not answer, or that takes a permission.
func unanswered(what string, err error, permission string) verdict {
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && denied(api.ErrorCode()):
		return unmade(what, "AWS refuses it ("+api.ErrorCode()+")", "allow "+permission+" to have it looked at; gen itself does without")
	case errors.As(err, &api):
		return unmade(what, "AWS answers with "+api.ErrorCode(), "see the check of the account")
	default:
		return unmade(what, "AWS does not answer: "+reason(err), "see whether this machine reaches AWS, by a proxy if need be (HTTPS_PROXY)")
	}
}

func denied(code string) bool {
	return slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"}, code)
}

// reason is the innermost of an error's causes: what wraps it speaks of the SDK's own steps.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "there was no answer in time"
	}
	for {
		switch e := err.(type) { //nolint:errorlint // each step is looked at by itself
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return firstLine(err.Error())
			}
			err = e.Unwrap()
		default:
			return firstLine(err.Error())
		}
	}
}

// endpoints looks for settings that lead requests away from AWS.
func (d *doctor) endpoints(context.Context) verdict {
	const what, setting = "endpoints", "AWS_ENDPOINT_URL"
	ambient, _ := tf.CloudEnvironment(d.environ)
	var led []string
	for _, name := range slices.Sorted(maps.Keys(ambient)) {
		if !strings.HasPrefix(name, setting) || ambient[name] == "" {
			continue
		}
		place := "elsewhere"
		u, err := url.Parse(ambient[name])
		if err == nil && u.Host != "" {
			place = u.Scheme + "://" + u.Host // nothing else of it: it may hold a password
		}
		if err == nil && isLoopback(u.Hostname()) {
			return verdict{problem, what, fmt.Sprintf("%s leads to this machine, %s, not to AWS", name, place), "unset it, or use --env local"}
		}
		led = append(led, name+" leads to "+place)
	}
	if len(led) > 0 {
		return verdict{warning, what, strings.Join(led, ", "), "unset it if that is not what you want: terraform and gen follow it"}
	}
	return ok(what, "%s is not set: requests go to AWS", setting)
}

// region is the spec's, whatever the ambient settings say.
func (d *doctor) region(context.Context) verdict {
	const what = "region"
	found := d.env.settings.Region + ", by " + specFile
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if r := d.getenv(name); r != "" && r != d.env.settings.Region {
			found += fmt.Sprintf("; %s=%s does not count", name, r)
		}
	}
	for _, f := range d.project.warnings {
		if f.Code == "unknown-region" && strings.Contains(f.Summary, `"`+d.env.settings.Region+`"`) {
			return verdict{warning, what, found + "; " + f.Summary, f.Detail}
		}
	}
	return ok(what, "%s", found)
}

// credentials says what kind they are and how long they last; never what they are.
func (d *doctor) credentials(context.Context) verdict {
	const what = "credentials"
	a, err := d.signed()
	token := (*ssocreds.InvalidTokenError)(nil)
	switch {
	case errors.Is(err, errElsewhere):
		return unmade(what, err.Error(), "")
	case errors.As(err, &token):
		return verdict{problem, what, "the session of SSO is over, or has not begun", "run 'aws sso login'"}
	case err != nil:
		return verdict{
			problem, what, "none: " + reason(err),
			"set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in as your organisation does, such as with 'aws sso login'",
		}
	}
	found := d.sourceOf(a.credentials.Source)
	if !a.credentials.CanExpire {
		return ok(what, "%s", found)
	}
	left := a.credentials.Expires.Sub(d.now()).Round(time.Second)
	if left <= 0 {
		return verdict{problem, what, fmt.Sprintf("%s; they expired at %s", found, a.credentials.Expires.Local().Format(time.DateTime)), "renew them"}
	}
	return ok(what, "%s; they last until %s, another %s", found, a.credentials.Expires.Local().Format(time.DateTime), left)
}

// sourceOf says where credentials come from, by the name that the SDK gives their source.
func (d *doctor) sourceOf(source string) string {
	profile := "the profile " + firstOf(d.getenv("AWS_PROFILE"), d.getenv("AWS_DEFAULT_PROFILE"), "default")
	switch {
	case source == config.CredentialsSourceName:
		return "the environment (AWS_ACCESS_KEY_ID)"
	case strings.HasPrefix(source, "SharedConfigCredentials: "):
		return profile + " of " + strings.TrimPrefix(source, "SharedConfigCredentials: ")
	case source == ssocreds.ProviderName:
		return "SSO, by " + profile
	case source == stscreds.ProviderName:
		return "an assumed role, by " + profile
	case source == stscreds.WebIdentityProviderName:
		return "a role, by a web identity"
	default:
		return source
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// account asks AWS who it takes the caller for, which needs no permission, and reads its clock by the way.
func (d *doctor) account(ctx context.Context) []verdict {
	const what, clock = "account", "clock"
	a, err := d.signed()
	if err != nil {
		return []verdict{unasked(what, err), unasked(clock, err)}
	}
	watch := &dated{next: a.settings.HTTPClient, now: d.now}
	if watch.next == nil {
		watch.next = awshttp.NewBuildableClient()
	}
	a.settings.HTTPClient = watch
	who, err := sts.NewFromConfig(a.settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	skew := watch.verdict(clock)
	if err != nil {
		return []verdict{refusedIdentity(what, err), skew}
	}
	account, allowed := aws.ToString(who.Account), d.env.settings.AllowedAccountIDs
	found := fmt.Sprintf("%s, as %s", account, aws.ToString(who.Arn))
	switch {
	case len(allowed) == 0:
		return []verdict{ok(what, "%s; allowed_account_ids names none, so that any will do", found), skew}
	case slices.Contains(allowed, account):
		return []verdict{ok(what, "%s, which allowed_account_ids has", found), skew}
	}
	return []verdict{{problem, what, fmt.Sprintf("%s, and allowed_account_ids has %s", found, strings.Join(allowed, ", ")), "use credentials of one of these accounts (AWS_PROFILE)"}, skew}
}

// refusedIdentity says why AWS does not take the caller for anybody.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_troubleshoot_errors.html
func refusedIdentity(what string, err error) verdict {
	var api smithy.APIError
	if !errors.As(err, &api) || denied(api.ErrorCode()) {
		return unanswered(what, err, "sts:GetCallerIdentity")
	}
	do := "see whether the secret belongs to the key, and how late this machine's clock is"
	switch api.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException":
		do = "the credentials are expired: renew them"
	case "InvalidClientTokenId", "UnrecognizedClientException":
		do = "AWS does not know the key: it was deleted, or the region must be enabled for the account first"
	}
	return verdict{problem, what, "AWS refuses the credentials (" + api.ErrorCode() + ")", do}
}

// dated is an HTTP client that compares the clock of whoever answers with its own.
type dated struct {
	next aws.HTTPClient
	now  func() time.Time

	mu   sync.Mutex
	seen bool
	// ahead is how far the other clock is ahead of this one.
	ahead time.Duration
}

// Do implements [aws.HTTPClient].
func (c *dated) Do(req *http.Request) (*http.Response, error) {
	res, err := c.next.Do(req)
	if err != nil {
		return res, err
	}
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.seen, c.ahead = true, at.Sub(c.now())
		c.mu.Unlock()
	}
	return res, nil
}

// AWS refuses requests whose time is further off than this.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
const (
	clockLimit   = 5 * time.Minute
	clockConcern = time.Minute
)

func (c *dated) verdict(what string) verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen {
		return unmade(what, "there is no answer whose time could be compared", "")
	}
	off, how := -c.ahead, "ahead"
	if off < 0 {
		off, how = -off, "late"
	}
	found := fmt.Sprintf("this machine is %s %s", off.Round(time.Second), how)
	const do = "set the clock, with NTP if possible: AWS refuses requests that are five minutes off"
	switch {
	case off >= clockLimit:
		return verdict{problem, what, found, do}
	case off >= clockConcern:
		return verdict{warning, what, found, do}
	}
	return ok(what, "%s", found)
}

// backend names what terraform alone connects to.
func (d *doctor) backend(context.Context) verdict {
	const what = "backend"
	if kind := d.env.settings.Backend.Type; kind != "" && kind != "local" {
		return ok(what, "%s; terraform alone has what it takes to reach it: 'gen plan' shows whether it can", kind)
	} else if kind == "local" {
		return ok(what, "local, a file of this machine")
	}
	file := filepath.Join(d.project.dir, stateFolder, d.env.name+".tfstate")
	if _, err := os.Stat(file); err != nil {
		return ok(what, "none in %s: the state will be %s", specFile, file)
	}
	return ok(what, "none in %s: the state is %s, on this machine alone", specFile, file)
}

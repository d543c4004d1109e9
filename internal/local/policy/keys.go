package policy

import (
	"slices"
	"strings"
)

// The condition keys that decisions know, in lower case. A request has some of them; the others it cannot have on the local stack, as it
// cannot in an account without an organization, users, or a VPC.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var knownKeys = []string{
	// the principal
	"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid", "aws:principalisawsservice",
	"aws:username", "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename", "aws:principalservicenameslist",
	// the session
	"aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime", "aws:sourceidentity", "lambda:sourcefunctionarn",
	"sts:externalid", "sts:rolesessionname",
	// the network
	"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:securetransport",
	// the request
	"aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:useragent", "aws:referer",
	"aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid",
	// the resource
	"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths",

	"dynamodb:attributes", "dynamodb:enclosingoperation", "dynamodb:leadingkeys", "dynamodb:returnconsumedcapacity",
	"dynamodb:returnvalues", "dynamodb:select",
	"cloudwatch:namespace",
	"iam:passedtoservice", "iam:policyarn",
	"kms:calleraccount", "kms:requestalias", "kms:viaservice", "kms:encryptioncontextkeys",
	"kms:grantisforawsresource", "kms:grantconstrainttype", "kms:grantoperations", "kms:granteeprincipal", "kms:retiringprincipal", // of grants, which there are none of
	"lambda:functionarn",
	"s3:prefix", "s3:delimiter", "s3:max-keys", "s3:x-amz-acl", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

// The beginnings of keys whose ends are a user's own.
var knownPrefixes = []string{"aws:principaltag/", "kms:encryptioncontext:"}

// Known says whether decisions know a condition key, whose name is in lower case.
func Known(key string) bool {
	return slices.Contains(knownKeys, key) || slices.ContainsFunc(knownPrefixes, func(p string) bool {
		return len(key) > len(p) && strings.HasPrefix(key, p)
	})
}

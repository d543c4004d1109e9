package logs

import (
	"regexp"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// keyARN is what CreateLogGroup takes for a key: the ARN of one, or of an alias.
var keyARN = regexp.MustCompile(`^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+$`)

// checkKey refuses what is no key's ARN, and a key that cannot be used.
func (s service) checkKey(key, group string) error {
	if !keyARN.MatchString(key) {
		return invalid("The specified KMS Key Id could not be found. '%s'", group)
	}
	if s.keyUsable(key) {
		return nil
	}
	return wire.Errorf("AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s'", s.groups.GroupARN(group))
}

// checkClass refuses a class that the stack has not.
func checkClass(class string) error {
	switch class {
	case "", control.StandardLogs, control.InfrequentLogs:
		return nil
	case "DELIVERY":
		return wire.NotEmulated("logGroupClass DELIVERY of CreateLogGroup")
	}
	return invalid("1 validation error detected: Value '%s' at 'logGroupClass' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]", class)
}

// readable refuses to read events of a group of infrequent access, as AWS does.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
func (s service) readable(group, operation string) error {
	g, err := s.groups.Group(group)
	if err == nil && g.LogClass() == control.InfrequentLogs {
		return invalid("%s is not supported for log groups of the class %s.", operation, g.Class)
	}
	return err
}

type associateKMSKeyInput struct {
	LogGroupName       string `json:"logGroupName"`
	ResourceIdentifier string `json:"resourceIdentifier"`
	KMSKeyID           string `json:"kmsKeyId"`
}

// resource is the name of the group that a request about keys means. AWS knows keys of query results too.
func (s service) resource(name, identifier string) (string, error) {
	if strings.Contains(identifier, ":query-result:") {
		return "", wire.NotEmulated("a resourceIdentifier of query results")
	}
	return s.group(name, identifier)
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
func (s service) associateKMSKey(in *associateKMSKeyInput) (*none, error) {
	name, err := s.resource(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	if _, err := s.groups.Group(name); err != nil {
		return nil, err
	}
	if err := s.checkKey(in.KMSKeyID, name); err != nil {
		return nil, err
	}
	return nil, s.groups.UpdateGroup(name, func(g *control.LogGroup) { g.KeyARN = in.KMSKeyID })
}

type disassociateKMSKeyInput struct {
	LogGroupName       string `json:"logGroupName"`
	ResourceIdentifier string `json:"resourceIdentifier"`
}

func (s service) disassociateKMSKey(in *disassociateKMSKeyInput) (*none, error) {
	name, err := s.resource(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	return nil, s.groups.UpdateGroup(name, func(g *control.LogGroup) { g.KeyARN = "" })
}

type putProtectionInput struct {
	LogGroupIdentifier        string `json:"logGroupIdentifier"`
	DeletionProtectionEnabled *bool  `json:"deletionProtectionEnabled"`
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
func (s service) putProtection(in *putProtectionInput) (*none, error) {
	if in.DeletionProtectionEnabled == nil {
		return nil, invalid("1 validation error detected: Value null at 'deletionProtectionEnabled' failed to satisfy constraint: Member must not be null")
	}
	name, err := s.group("", in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	return nil, s.groups.UpdateGroup(name, func(g *control.LogGroup) { g.Protected = *in.DeletionProtectionEnabled })
}

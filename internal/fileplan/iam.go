package fileplan

import "fmt"

// Reference is an attribute of a terraform resource of the same module.
type Reference struct{ Type, Local, Attribute string }

// String is the reference as an expression of terraform.
func (r Reference) String() string { return fmt.Sprintf("%s.%s.%s", r.Type, r.Local, r.Attribute) }

// Policy is an IAM policy document.
type Policy struct {
	// Name is the document's name in terraform.
	Name       string
	Statements []Statement
}

// Statement allows actions, either on resources or, in a trust policy, to services.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type Statement struct {
	Actions   []string
	Resources []Resource
	Services  []string
}

// Resource is an ARN: a reference and what follows it.
type Resource struct {
	ARN    Reference
	Suffix string
}

// Expression is the resource as an expression of terraform.
func (r Resource) Expression() string {
	if r.Suffix == "" {
		return r.ARN.String()
	}
	return fmt.Sprintf(`"${%s}%s"`, r.ARN, r.Suffix)
}

func streamOf(tableLocal string) Reference {
	return Reference{Type: "aws_dynamodb_table", Local: tableLocal, Attribute: "stream_arn"}
}

// TrustPolicy lets Lambda, and nobody else, take the handler's role.
func (h Handler) TrustPolicy() Policy {
	return Policy{Name: h.Local + "_trust", Statements: []Statement{
		{Actions: []string{"sts:AssumeRole"}, Services: []string{"lambda.amazonaws.com"}},
	}}
}

// PermissionsPolicy is all that the handler's role allows: to write to its log group, and to read its table's stream
// with the four actions that Lambda asks for on the stream when it makes the event source mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
func (h Handler) PermissionsPolicy() Policy {
	logGroup := Reference{Type: "aws_cloudwatch_log_group", Local: h.Local, Attribute: "arn"}
	return Policy{Name: h.Local + "_permissions", Statements: []Statement{
		{
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resources: []Resource{{ARN: logGroup, Suffix: ":*"}},
		},
		{
			Actions: []string{
				"dynamodb:DescribeStream",
				"dynamodb:GetRecords",
				"dynamodb:GetShardIterator",
				"dynamodb:ListStreams",
			},
			Resources: []Resource{{ARN: h.Stream}},
		},
	}}
}

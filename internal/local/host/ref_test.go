package host_test

import (
	"strings"
	"testing"

	"streamgen/internal/local/host"
)

func TestParse(t *testing.T) {
	s := start(t, nil)
	tests := []struct {
		in   string
		want host.Ref
		code string // "" is fine
	}{
		{"fn", host.Ref{Name: "fn"}, ""},
		{"fn:$LATEST", host.Ref{Name: "fn", Qualifier: "$LATEST"}, ""},
		{"fn:3", host.Ref{Name: "fn", Qualifier: "3"}, ""},
		{"000000000000:function:fn", host.Ref{Name: "fn"}, ""},
		{"000000000000:function:fn:live", host.Ref{Name: "fn", Qualifier: "live"}, ""},
		{"arn:aws:lambda:us-east-1:000000000000:function:fn", host.Ref{Name: "fn"}, ""},
		{"arn:aws:lambda:us-east-1:000000000000:function:fn:live", host.Ref{Name: "fn", Qualifier: "live"}, ""},
		{"arn:aws:lambda:eu-west-1:000000000000:function:fn", host.Ref{}, host.ResourceNotFound},
		{"arn:aws:lambda:us-east-1:111111111111:function:fn", host.Ref{}, host.ResourceNotFound},
		{"arn:aws:sqs:us-east-1:000000000000:function:fn", host.Ref{}, host.InvalidParameterValue},
		{"arn:aws:lambda:us-east-1:000000000000:function", host.Ref{}, host.InvalidParameterValue},
		{"arn:aws:lambda:us-east-1:000000000000:layer:fn", host.Ref{}, host.InvalidParameterValue},
		{"", host.Ref{}, host.InvalidParameterValue},
		{"fn:", host.Ref{}, host.InvalidParameterValue},
		{"fn:a:b", host.Ref{}, host.InvalidParameterValue},
		{"f n", host.Ref{}, host.InvalidParameterValue},
		{"../fn", host.Ref{}, host.InvalidParameterValue},
		{strings.Repeat("f", 65), host.Ref{}, host.InvalidParameterValue},
	}
	for _, test := range tests {
		got, err := s.Parse(test.in)
		if got != test.want || test.code == "" && err != nil || test.code != "" && !hasCode(err, test.code) {
			t.Errorf("%q: %+v, %v", test.in, got, err)
		}
	}
}

package logs_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

const badKey = "arn:aws:kms:us-east-1:000000000000:key/gone"

func usable(arn string) bool { return arn != badKey }

func (f fixture) group(t *testing.T) types.LogGroup {
	t.Helper()
	out, err := f.DescribeLogGroups(t.Context(), &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
	must(t, err)
	if len(out.LogGroups) != 1 {
		t.Fatalf("got %d groups", len(out.LogGroups))
	}
	return out.LogGroups[0]
}

func TestLogGroupKey(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	key := aws.String("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555")
	_, err := f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("g"), KmsKeyId: aws.String(badKey)})
	wantError(t, err, "AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '"+arn+"g'")
	_, err = f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("g"), KmsKeyId: key})
	must(t, err)
	if got := f.group(t).KmsKeyId; aws.ToString(got) != *key {
		t.Errorf("the key is %s", aws.ToString(got))
	}
	_, err = f.DisassociateKmsKey(ctx, &cwl.DisassociateKmsKeyInput{LogGroupName: aws.String("g")})
	must(t, err)
	if got := f.group(t).KmsKeyId; got != nil {
		t.Errorf("the key is %s after it was taken away", *got)
	}
	_, err = f.AssociateKmsKey(ctx, &cwl.AssociateKmsKeyInput{ResourceIdentifier: aws.String(arn + "g"), KmsKeyId: key})
	must(t, err)
	if got := f.group(t).KmsKeyId; aws.ToString(got) != *key {
		t.Errorf("the key is %s", aws.ToString(got))
	}
	_, err = f.AssociateKmsKey(ctx, &cwl.AssociateKmsKeyInput{LogGroupName: aws.String("none"), KmsKeyId: key})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestLogGroupDeletionProtection(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("g"), DeletionProtectionEnabled: aws.Bool(true)})
	must(t, err)
	if !aws.ToBool(f.group(t).DeletionProtectionEnabled) {
		t.Error("the group is not protected")
	}
	_, err = f.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	wantError(t, err, "ValidationException", "Cannot delete log group with deletion protection enabled. Disable deletion protection first.")
	_, err = f.PutLogGroupDeletionProtection(ctx, &cwl.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: aws.String("g"), DeletionProtectionEnabled: aws.Bool(false)})
	must(t, err)
	_, err = f.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	must(t, err)
}

func TestInfrequentAccess(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("g"), LogGroupClass: types.LogGroupClassInfrequentAccess})
	must(t, err)
	if got := f.group(t).LogGroupClass; got != types.LogGroupClassInfrequentAccess {
		t.Errorf("the class is %s", got)
	}
	out, err := f.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupClass: types.LogGroupClassStandard})
	must(t, err)
	if len(out.LogGroups) != 0 {
		t.Errorf("%d groups are standard ones", len(out.LogGroups))
	}
	_, err = f.FilterLogEvents(ctx, &cwl.FilterLogEventsInput{LogGroupName: aws.String("g")})
	wantError(t, err, "InvalidParameterException", "FilterLogEvents is not supported for log groups of the class INFREQUENT_ACCESS.")
	_, err = f.GetLogEvents(ctx, &cwl.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")})
	wantError(t, err, "InvalidParameterException", "GetLogEvents is not supported for log groups of the class INFREQUENT_ACCESS.")
}

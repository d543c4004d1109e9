package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

var mirrorZip = sync.OnceValues(func() ([]byte, error) { return bootstrap.Zip("./testdata/mirror") })

// TestFaultsLeaveNoTrace has a table copied by a function of eight lanes that fails, panics and dies on the way: the copy ends as it does
// without faults.
func TestFaultsLeaveNoTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	code, err := mirrorZip()
	must(t, err)
	for _, faults := range []string{"", "yes"} {
		t.Run("faults "+faults, func(t *testing.T) {
			endpoint, ctx := newStack(t, local.Options{RetryPause: 10 * time.Millisecond}).Endpoint(), t.Context()
			copied := unique("copy")
			s := buildOf(t, endpoint, code, map[string]string{"MIRROR": *copied, "FAULTS": faults, "DEATHS": t.TempDir()})
			_, err = s.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: copied, BillingMode: ddb.BillingModePayPerRequest,
				AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
				KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}}})
			must(t, err)
			_, err = s.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &s.role, PolicyName: aws.String("copy"), PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:DeleteItem"],"Resource":"arn:aws:dynamodb:us-east-1:000000000000:table/` + *copied + `"}]}`)})
			must(t, err)

			rng := rand.New(rand.NewPCG(1, 0))
			for version := range 300 {
				id := &ddb.AttributeValueMemberS{Value: fmt.Sprint(rng.IntN(40))}
				if rng.IntN(6) == 0 {
					_, err = s.dynamodb.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: map[string]ddb.AttributeValue{"Id": id}})
				} else {
					_, err = s.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: map[string]ddb.AttributeValue{
						"Id": id, "Version": &ddb.AttributeValueMemberN{Value: fmt.Sprint(version)},
					}})
				}
				must(t, err)
			}
			// The last change of all: when it is there, and nothing is under way any more, everything is.
			want := contents(t, s.dynamodb, s.table)
			deadline := time.Now().Add(2 * time.Minute)
			for !cmp.Equal(want, contents(t, s.dynamodb, *copied)) {
				if time.Now().After(deadline) {
					t.Fatalf("the copy differs (-want +got):\n%s", cmp.Diff(want, contents(t, s.dynamodb, *copied)))
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// contents are the versions of a table's items.
func contents(t *testing.T, c *dynamodb.Client, table string) map[string]string {
	t.Helper()
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	must(t, err)
	all := map[string]string{}
	for _, item := range out.Items {
		all[item["Id"].(*ddb.AttributeValueMemberS).Value] = item["Version"].(*ddb.AttributeValueMemberN).Value
	}
	return all
}

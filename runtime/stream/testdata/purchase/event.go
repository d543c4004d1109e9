package purchase

import (
	"fmt"
	"strings"
)

// Event gives an event of n changes, each with two images of about a kilobyte.
func Event(n int) []byte {
	records := make([]string, n)
	for i := range records {
		sequenceNumber := fmt.Sprint(800000000003126276362 + float64(i))
		records[i] = fmt.Sprintf(`{"eventID":"event-%s","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",`+
			`"dynamodb":{"ApproximateCreationDateTime":1733418659.0,"Keys":{"Id":{"S":"order-%d"}},"NewImage":%s,"OldImage":%s,`+
			`"SequenceNumber":%q,"SizeBytes":46,"StreamViewType":"NEW_AND_OLD_IMAGES"},`+
			`"eventSourceARN":"arn:aws:dynamodb:us-east-1:111111111111:table/orders/stream/2025-02-22T03:03:25.490"}`,
			sequenceNumber, i, image(i, 2, "PAID"), image(i, 1, "OPEN"), sequenceNumber)
	}
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func image(i, version int, status string) string {
	var lines []string
	for l := range 5 {
		lines = append(lines, fmt.Sprintf(`{"M":{"Sku":{"S":"sku-%d-%d"},"Name":{"S":"A thing that people buy, number %d"},"Quantity":{"N":"%d"},"Price":{"N":"%d.99"}}}`, i, l, l, l+1, 10*l+5))
	}
	return fmt.Sprintf(`{"Id":{"S":"order-%d"},"Customer":{"S":"customer-%d"},"Status":{"S":%q},"Note":{"S":"Please leave it with the neighbours if nobody opens the door."},`+
		`"Total":{"N":"%d.50"},"Version":{"N":"%d"},"Paid":{"BOOL":true},"Tags":{"SS":["gift","express"]},`+
		`"Address":{"M":{"Street":{"S":"12 Long Road"},"City":{"S":"Springfield"},"Country":{"S":"US"},"Zip":{"S":"12345"}}},"Lines":{"L":[%s]}}`,
		i, i%17, status, 100+i, version, strings.Join(lines, ","))
}

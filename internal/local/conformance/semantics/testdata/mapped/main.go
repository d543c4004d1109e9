// Command mapped is the function of the rows in which a process matters: it does what the value v of each record's item says.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(e events.DynamoDBEvent) error {
		for _, r := range e.Records {
			v, valued := r.Change.NewImage["v"]
			if !valued {
				continue
			}
			fmt.Println("told to", v.String())
			switch v.String() {
			case "exit-3":
				os.Exit(3)
			case "exit-0":
				os.Exit(0)
			case "panic":
				panic("told to panic")
			case "fail":
				return errors.New("told to fail")
			case "hang":
				select {}
			}
		}
		return nil
	})
}

// Command handler is the Lambda function of the conformance tests: it logs each record as a line of JSON, fails for an
// item whose Note is "fail", and does not come back for one whose Note is "hang".
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"streamgen/runtime/stream"
)

type item struct{ ID, Note string }

func (it *item) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			it.ID = d.String()
		case "Note":
			it.Note = d.String()
		}
	}
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	stream.Start(func(_ context.Context, c stream.Change[item]) error {
		if c.New != nil && c.New.Note == "fail" {
			return errors.New("told to fail")
		}
		if c.New != nil && c.New.Note == "hang" {
			log.Info("hanging")
			select {}
		}
		log.Info("record", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
		return nil
	})
}

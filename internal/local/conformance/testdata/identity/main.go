// Command identity is a function that answers with the credentials that it runs with.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"os"
)

func main() {
	invocation := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(invocation + "next")
		if err != nil {
			log.Fatal(err)
		}
		next.Body.Close()
		answer, err := json.Marshal([]string{os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")})
		if err != nil {
			log.Fatal(err)
		}
		done, err := http.Post(invocation+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", bytes.NewReader(answer))
		if err != nil {
			log.Fatal(err)
		}
		done.Body.Close()
	}
}

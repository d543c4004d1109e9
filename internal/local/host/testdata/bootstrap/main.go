// Command bootstrap is a Lambda function for the host's tests. MODE says how it behaves.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	switch mode := os.Getenv("MODE"); mode {
	case "init-exit":
		fmt.Println("not starting")
		os.Exit(3)
	case "init-hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour) // with nothing else to do a select would end in a deadlock
	case "init-error":
		post("runtime/init/error", `{"errorType":"Config","errorMessage":"no table"}`)
		post("runtime/init/error", `{"errorType":"Second"}`)
		next()
		fmt.Println("giving up")
		os.Exit(1)
	case "raw":
		raw()
	case "deaf":
		next()
		fmt.Println("deaf")
		select {}
	case "extension":
		extension()
	case "untyped":
		req, _ := http.NewRequest("POST", url("runtime/invocation/"+next()+"/response"), strings.NewReader(`"untyped"`))
		if res, err := http.DefaultClient.Do(req); err == nil {
			fmt.Println("post", res.StatusCode)
			res.Body.Close()
		}
		next()
	case "quitter":
		quit()
	case "sigterm":
		lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
			fmt.Println("terminating")
			if os.Getenv("STAYS") == "" {
				os.Exit(0)
			}
		}))
	default:
		lambda.Start(handle)
	}
}

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	switch os.Getenv("MODE") {
	case "error":
		return nil, errors.New("no luck")
	case "panic":
		panic("at the disco")
	case "exit":
		fmt.Println("leaving")
		code, _ := strconv.Atoi(string(event))
		os.Exit(code)
	case "sleep":
		fmt.Println("sleeping")
		select {}
	case "size":
		n, _ := strconv.Atoi(string(event))
		return strings.Repeat("x", n-2), nil // and two quotes
	case "describe":
		return describe(ctx)
	case "flood":
		for i := range 5000 {
			fmt.Println("line", i)
		}
		fmt.Fprint(os.Stderr, "no newline")
	case "child":
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "levels":
		fmt.Println(`{"level":"DEBUG","msg":"one"}`)
		fmt.Println(`{"level":"info","msg":"two"}`)
		fmt.Println(`{"level":"ERROR","msg":"three"}`)
		fmt.Println("four")
		return nil, nil
	case "pid":
		return os.Getpid(), nil
	case "meet":
		// It answers once another invocation runs beside it.
		f, err := os.OpenFile(os.Getenv("MEETING"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(f, os.Getpid())
		f.Close()
		for {
			met, _ := os.ReadFile(os.Getenv("MEETING"))
			if bytes.Count(met, []byte("\n")) >= 2 {
				return os.Getpid(), nil
			}
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Println("handling", string(event))
	return event, nil
}

func describe(ctx context.Context) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"env": os.Environ(), "cwd": cwd, "requestId": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "deadline": deadline.UnixMilli(),
	}, nil
}

func url(path string) string {
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/" + path
}

func next() (id string) {
	res, err := http.Get(url("runtime/invocation/next"))
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		fmt.Println("next", res.StatusCode, string(bytes.TrimSpace(body)))
		return ""
	}
	return res.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

func post(path, body string) {
	res, err := http.Post(url(path), "application/json", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	fmt.Println("post", res.StatusCode, string(bytes.TrimSpace(answer)))
}

// extension registers for events, which is refused, and then answers as any function.
func extension() {
	req, _ := http.NewRequest("POST", "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2020-01-01/extension/register", strings.NewReader(`{"events":["INVOKE"]}`))
	req.Header.Set("Lambda-Extension-Name", "bootstrap")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	fmt.Println("register", res.StatusCode, string(bytes.TrimSpace(body)))
	lambda.Start(handle)
}

// quit answers one invocation and soon gives up asking for another.
func quit() {
	post("runtime/invocation/"+next()+"/response", `"done"`)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", url("runtime/invocation/next"), nil)
	if _, err := http.DefaultClient.Do(req); err != nil {
		fmt.Println("gone")
	}
	time.Sleep(time.Hour)
}

// raw breaks every rule of the Runtime API and logs the answers.
func raw() {
	post("runtime/invocation/none/response", `1`)
	id := next()
	next()
	post("runtime/invocation/none/response", `1`)
	post("runtime/invocation/none/error", `{}`)
	post("runtime/init/error", `{}`)
	for name, value := range map[string]string{"Origin": "http://example.com", "Sec-Fetch-Site": "cross-site"} {
		foreign, _ := http.NewRequest("GET", url("runtime/invocation/next"), nil)
		foreign.Header.Set(name, value)
		if res, err := http.DefaultClient.Do(foreign); err == nil {
			body, _ := io.ReadAll(res.Body)
			fmt.Println("browser", res.StatusCode, strings.Contains(string(body), "Forbidden"))
			res.Body.Close()
		}
	}
	post("runtime/invocation/"+id+"/response", `"done"`)
	post("runtime/invocation/"+id+"/response", `"again"`)
	post("runtime/invocation/"+id+"/error", `{}`)
	next()
	select {}
}

package tf

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// startDriver runs plan and apply in a process of its own.
func startDriver(t *testing.T, o Options) *exec.Cmd {
	t.Helper()
	o.Progress = nil
	data, err := json.Marshal(struct {
		Binary                     Binary
		Source, WorkDir, StateFile string
		Env                        map[string]string
	}{o.Binary, o.Source, o.WorkDir, o.StateFile, o.Env})
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), driverVar+"="+string(data))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// drive is the driver's main function.
func drive(options string) int {
	var o struct {
		Binary                     Binary
		Source, WorkDir, StateFile string
		Env                        map[string]string
	}
	err := json.Unmarshal([]byte(options), &o)
	if err == nil {
		err = apply(context.Background(), Options{Binary: o.Binary, Source: o.Source, WorkDir: o.WorkDir, StateFile: o.StateFile, Env: o.Env})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func apply(ctx context.Context, o Options) error {
	tf, err := Open(o)
	if err != nil {
		return err
	}
	p, err := tf.Plan(ctx, PlanOptions{})
	if err != nil {
		return err
	}
	_, err = tf.Apply(ctx, p)
	return err
}

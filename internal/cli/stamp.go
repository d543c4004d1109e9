package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
	"streamgen/internal/wholefile"
)

// stamp stands for what a plan was made of, beside the state: terraform itself refuses a plan whose state has moved.
type stamp struct {
	// Spec is gen.yaml, Tree what was generated of it, Packages the functions' packages; each as a digest.
	Spec     string `json:"spec"`
	Tree     string `json:"tree"`
	Packages string `json:"packages"`
}

// stamp digests the project as it is now.
func (s *session) stamp() (out stamp, err error) {
	if out.Spec, err = digestOf(filepath.Join(s.project.dir, specFile)); err == nil {
		out.Tree, err = digestOf(s.tree())
	}
	if err == nil {
		out.Packages, err = s.packagesDigest()
	}
	if err != nil {
		return stamp{}, fmt.Errorf("looking at what the plan is made of: %w", err)
	}
	return out, nil
}

// tree is the folder of what is generated for the stack.
func (s *session) tree() string {
	return filepath.Join(s.project.dir, filepath.FromSlash(fileplan.StackFolder(s.stack.Name)))
}

// packagesDigest digests the packages of the stack's functions as they are now.
func (s *session) packagesDigest() (string, error) {
	var list strings.Builder
	for _, h := range s.handlers() {
		sum, err := s.packages[h].Now()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&list, "%s %s\n", h, sum)
	}
	return digestOfText([]byte(list.String())), nil
}

// handlers are the names of the stack's handlers.
func (s *session) handlers() []string {
	var names []string
	for _, h := range s.project.spec.Handlers {
		if h.StackName() == s.stack.Name {
			names = append(names, h.Name)
		}
	}
	return names
}

// moved names what differs from a later stamp; tree is the folder of what was generated.
func (s stamp) moved(now stamp, tree string) []string {
	var list []string
	for _, part := range []struct{ what, before, after string }{
		{specFile, s.Spec, now.Spec}, {tree, s.Tree, now.Tree}, {"the packages of the functions", s.Packages, now.Packages},
	} {
		if part.before != part.after {
			list = append(list, part.what)
		}
	}
	return list
}

// unmoved is an error if anything has moved since the stamp was made.
func (s *session) unmoved(since stamp) error {
	now, err := s.stamp()
	if err != nil {
		return err
	}
	if moved := since.moved(now, fileplan.StackFolder(s.stack.Name)); len(moved) > 0 {
		return fmt.Errorf("nothing was done: %s changed since the plan was made; plan again", strings.Join(moved, ", "))
	}
	return nil
}

// digestOf is the digest of a file, or of all files below a folder with their names; what terraform leaves in a folder does not count.
func digestOf(path string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".terraform"):
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".terraform"):
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(path, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.ToSlash(name), len(data))
		_, _ = sum.Write(data) // it never fails
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return hex.EncodeToString(sum.Sum(nil)), err
}

// keptPlan is what stands beside a plan that was kept in a file.
type keptPlan struct {
	Environment string   `json:"environment"`
	Stack       string   `json:"stack"`
	Digest      string   `json:"digest"`
	Targets     []string `json:"targets,omitempty"`
	Stamp       stamp    `json:"stamp"`
}

func keptFile(plan string) string { return plan + ".json" }

// keep notes beside a plan's file what it was made of.
func (s *session) keep(p judgedPlan) error {
	now, err := s.stamp()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(keptPlan{Environment: s.env.name, Stack: s.stack.Name, Digest: p.Digest, Targets: p.options.Targets, Stamp: now}, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(keptFile(p.File), append(data, '\n'))
}

// kept opens a plan that was kept, if nothing has moved since.
func (s *session) kept(file string) (tf.Plan, tf.PlanOptions, error) {
	var k keptPlan
	data, err := os.ReadFile(keptFile(file))
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err != nil {
		return tf.Plan{}, tf.PlanOptions{}, usagef("--plan %s: want a plan that 'gen plan --out' kept: %w", file, err)
	}
	if k.Environment != s.env.name {
		return tf.Plan{}, tf.PlanOptions{}, usagef("--plan %s: the plan is of the environment %s, not of %s", file, k.Environment, s.env.name)
	}
	if stack := cmp.Or(k.Stack, spec.MainStack); stack != s.stack.Name {
		return tf.Plan{}, tf.PlanOptions{}, usagef("--plan %s: the plan is of the stack %s, not of %s", file, stack, s.stack.Name)
	}
	if err := s.unmoved(k.Stamp); err != nil {
		return tf.Plan{}, tf.PlanOptions{}, err
	}
	return tf.Plan{Changed: true, File: file, Digest: k.Digest}, tf.PlanOptions{Targets: k.Targets, Out: file}, nil
}

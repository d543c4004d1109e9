package control

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

// ledger is a journal in memory.
type ledger map[string][]byte

func (l ledger) Put(key string, entry any) {
	text, err := json.Marshal(entry)
	if err != nil {
		panic(err)
	}
	l[key] = text
}

func (l ledger) Delete(key string) { delete(l, key) }

func (l ledger) Each(f func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if err := f(key, l[key]); err != nil {
			return err
		}
	}
	return nil
}

// checkSteps runs steps one after the other, and after each compares what show tells of the registry with what it tells of one that
// was restored from the journals.
func checkSteps[R any](t *testing.T, made R, restore func() (R, error), show func(R) any, steps []func(R) error) {
	t.Helper()
	for i, step := range steps {
		if err := step(made); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		restored, err := restore()
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if got, want := show(restored), show(made); !reflect.DeepEqual(got, want) {
			t.Errorf("after step %d the restored registry has\n%+v, want\n%+v", i, got, want)
		}
	}
}

func TestRestoreRoles(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	journal := ledger{}
	restore := func() (*Roles, error) {
		r := NewRoles("000000000000", c, false)
		return r, r.Restore(maps.Clone(journal))
	}
	roles := NewRoles("000000000000", c, false)
	if err := roles.Restore(journal); err != nil {
		t.Fatal(err)
	}
	show := func(r *Roles) any {
		type shown struct {
			Role
			inline, attached []string
			document         string
		}
		all := []shown{}
		for _, role := range r.List() {
			s := shown{Role: role}
			s.inline, _ = r.Policies(role.Name)
			s.attached, _ = r.Attached(role.Name)
			s.document, _ = r.Policy(role.Name, "p")
			all = append(all, s)
		}
		return all
	}
	const policy = `{"Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}`
	const managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	text := "for functions"
	checkSteps(t, roles, restore, show, []func(*Roles) error{
		func(r *Roles) error {
			_, err := r.Create(Role{Name: "Role", Path: "/", TrustPolicy: trust, MaxSessionSeconds: 3600, Tags: map[string]string{"a": "1"}})
			return err
		},
		func(r *Roles) error { _, err := r.Update("Role", RoleUpdate{Description: &text}); return err },
		func(r *Roles) error { return r.Tag("Role", map[string]string{"b": "2"}) },
		func(r *Roles) error { return r.Untag("Role", []string{"a"}) },
		func(r *Roles) error { return r.PutPolicy("Role", "p", policy) },
		func(r *Roles) error { return r.Attach("Role", managed) },
		func(r *Roles) error { return r.Detach("Role", managed) },
		func(r *Roles) error { return r.DeletePolicy("Role", "p") },
		func(r *Roles) error { return r.Delete("Role") },
	})
}

func TestRestoreLogGroups(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	journal := ledger{}
	restore := func() (*Logs, error) {
		l := NewLogs("000000000000", "us-east-1", c)
		return l, l.Restore(maps.Clone(journal))
	}
	logs := NewLogs("000000000000", "us-east-1", c)
	if err := logs.Restore(journal); err != nil {
		t.Fatal(err)
	}
	show := func(l *Logs) any {
		groups := l.Groups()
		for i := range groups {
			groups[i].StoredBytes = 0 // of events, which are not kept
		}
		return groups
	}
	checkSteps(t, logs, restore, show, []func(*Logs) error{
		func(l *Logs) error {
			return l.CreateGroup(LogGroup{Name: "a", Tags: map[string]string{"k": "v"}, Class: InfrequentLogs, KeyARN: "arn", Protected: true})
		},
		func(l *Logs) error { return l.UpdateGroup("a", func(g *LogGroup) { g.Protected = false }) },
		func(l *Logs) error { l.Append("b", "s", c.Now(), "a line"); return nil },
		func(l *Logs) error { return l.UpdateGroup("b", func(g *LogGroup) { g.RetentionDays = 7 }) },
		func(l *Logs) error { return l.TagGroup("b", map[string]string{"x": "y"}) },
		func(l *Logs) error { return l.UntagGroup("a", []string{"k"}) },
		func(l *Logs) error { return l.DeleteGroup("a") },
	})
	l, err := restore()
	if err != nil {
		t.Fatal(err)
	}
	l.Append("b", "s", c.Now(), "a line") // a restored group takes events
}

func TestRestoreQueues(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	queues, messages := ledger{}, ledger{}
	restore := func() (*Queues, error) {
		q := NewQueues("000000000000", "us-east-1", c)
		return q, q.Restore(maps.Clone(queues), maps.Clone(messages))
	}
	made := NewQueues("000000000000", "us-east-1", c)
	if err := made.Restore(queues, messages); err != nil {
		t.Fatal(err)
	}
	show := func(q *Queues) any {
		all := map[string]any{}
		for _, name := range q.Names("") {
			all[name], _ = q.Get(name)
			for _, m := range q.queues[name].messages {
				all[name+"/"+m.ID] = *m
			}
		}
		return all
	}
	send := func(q *Queues) error {
		_, err := q.Send("q", "hello", MessageAttributes{"k": {"String", []byte("v")}}, 0)
		return err
	}
	var handle string
	receive := func(q *Queues) error {
		got, err := q.Receive("q", 1, time.Minute)
		handle = got[0].ReceiptHandle
		return err
	}
	checkSteps(t, made, restore, show, []func(*Queues) error{
		func(q *Queues) error {
			return q.Create("q", map[string]string{"DelaySeconds": "1"}, map[string]string{"k": "v"})
		},
		func(q *Queues) error { return q.Set("q", map[string]string{"VisibilityTimeout": "7"}) },
		func(q *Queues) error { return q.UpdateTags("q", func(tags map[string]string) { tags["x"] = "y" }) },
		send, send, send, receive,
		func(q *Queues) error { return q.ChangeVisibility("q", handle, time.Hour) },
		func(q *Queues) error { return q.DeleteMessage("q", handle) },
		receive,
		func(q *Queues) error { return q.Purge("q") },
		send,
		func(q *Queues) error { c.Advance(5 * 24 * time.Hour); _, err := q.Get("q"); return err },
		send,
		func(q *Queues) error { return q.Delete("q") },
	})
	if len(queues)+len(messages) > 0 {
		t.Errorf("the journals still have %d queues and %d messages", len(queues), len(messages))
	}
}

func TestRestoreScaling(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	journal := ledger{}
	restore := func() (*Scaling[string], error) {
		s := NewScaling[string]("000000000000", "us-east-1", c)
		return s, s.Restore(maps.Clone(journal))
	}
	scaling := NewScaling[string]("000000000000", "us-east-1", c)
	if err := scaling.Restore(journal); err != nil {
		t.Fatal(err)
	}
	of := Scaled{"dynamodb", "table/orders", "dynamodb:table:ReadCapacityUnits"}
	one, five := 1, 5
	show := func(s *Scaling[string]) any { return []any{s.Targets(), s.Policies()} }
	checkSteps(t, scaling, restore, show, []func(*Scaling[string]) error{
		func(s *Scaling[string]) error {
			_, err := s.Register(RegisterTarget{Scaled: of, Min: &one, Max: &five, Tags: map[string]string{"k": "v"}})
			return err
		},
		func(s *Scaling[string]) error {
			_, err := s.Register(RegisterTarget{Scaled: of, Min: &five})
			return err
		},
		func(s *Scaling[string]) error {
			_, err := s.PutPolicy(of, "p", "TargetTrackingScaling", "at 70")
			return err
		},
		func(s *Scaling[string]) error {
			_, err := s.PutPolicy(of, "q", "TargetTrackingScaling", "at 50")
			return err
		},
		func(s *Scaling[string]) error { return s.DeletePolicy(of, "p") },
		func(s *Scaling[string]) error {
			return s.UpdateTags(s.Targets()[0].ARN, func(tags map[string]string) { tags["x"] = "y" })
		},
		func(s *Scaling[string]) error { return s.Deregister(of) },
	})
}

// A journal whose text is no entry of the registry is refused with its key.
func TestRestoreRefuses(t *testing.T) {
	r := NewRoles("000000000000", clock.System(), false)
	if err := r.Restore(ledger{"role": []byte("[]")}); err == nil {
		t.Error("a list is restored as a role")
	}
}

package metrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

// Alarm is a metric alarm: what it was described as, and its state.
type Alarm struct {
	Name, ARN, Description string
	Rule                   Rule
	// ActionsEnabled says whether anything is done when the state changes.
	ActionsEnabled bool
	// OKActions, AlarmActions and InsufficientActions are ARNs of SNS topics, which are told when the alarm comes into the state.
	OKActions, AlarmActions, InsufficientActions []string
	Tags                                         map[string]string
	Configured                                   time.Time

	// State is one of the states' constants, Reason and ReasonData are why it is so.
	State, Reason, ReasonData string
	// Updated is when the state was last set, Transitioned when it last became another one.
	Updated, Transitioned time.Time
}

// actions are those of a state.
func (a *Alarm) actions(state string) []string {
	switch state {
	case StateOK:
		return a.OKActions
	case StateAlarm:
		return a.AlarmActions
	default:
		return a.InsufficientActions
	}
}

// Options configure [Alarms].
type Options struct {
	// Account and Region are those of the alarms' ARNs.
	Account, Region string
	Clock           clock.Clock
	// Store has what the alarms watch.
	Store *Store
	// Publish sends an alarm's message to an SNS topic. Nil is a stack without SNS, where every action fails.
	Publish func(topicARN, subject, message string) error
	// Sample puts into the store, once a minute, what nobody measures as it happens, for the minute that ended. It may be nil.
	Sample func(ended time.Time)
}

// Alarms are one region's alarms. They are evaluated each minute, each ten seconds if one of them has so short a period, by one goroutine,
// which there is as long as there is an alarm, or something was going on that is to be sampled. It is safe for concurrent use.
type Alarms struct {
	opts Options

	mu      sync.Mutex
	alarms  map[string]*Alarm
	history []HistoryItem
	journal control.Journal // nil keeps nothing

	running  bool
	closed   bool
	active   time.Time     // until when there is something to sample
	changed  chan struct{} // has one when the goroutine must look at the alarms again
	stop     chan struct{}
	finished sync.WaitGroup
}

// NewAlarms gives an empty registry.
func NewAlarms(opts Options) *Alarms {
	return &Alarms{opts: opts, alarms: map[string]*Alarm{}, changed: make(chan struct{}, 1), stop: make(chan struct{})}
}

// Restore takes in the alarms that the journal has, and tells it of every change from then on. It comes before all other calls.
func (a *Alarms) Restore(j control.Journal) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.journal = j
	if err := control.Each(j, func(name string, alarm *Alarm) { a.alarms[name] = alarm }); err != nil {
		return err
	}
	a.wake()
	return nil
}

// Close ends the evaluation.
func (a *Alarms) Close() {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.stop)
	}
	a.mu.Unlock()
	a.finished.Wait()
}

// keep tells the journal of an alarm that changed.
func (a *Alarms) keep(alarm *Alarm) {
	if a.journal != nil {
		a.journal.Put(alarm.Name, alarm)
	}
}

// ARN is the ARN that an alarm of a name has, or would have.
func (a *Alarms) ARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", a.opts.Region, a.opts.Account, name)
}

// Put makes an alarm, or describes it anew: then it keeps its state and its tags.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (a *Alarms) Put(alarm Alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.opts.Clock.Now()
	alarm.ARN, alarm.Configured = a.ARN(alarm.Name), now
	was, there := a.alarms[alarm.Name]
	if there {
		alarm.Tags, alarm.State, alarm.Reason, alarm.ReasonData = was.Tags, was.State, was.Reason, was.ReasonData
		alarm.Updated, alarm.Transitioned = was.Updated, was.Transitioned
		a.note(alarm.Name, now, ConfigurationUpdate, fmt.Sprintf("Alarm %q updated", alarm.Name), nil)
	} else {
		alarm.State, alarm.Reason, alarm.ReasonData = StateInsufficient, "Unchecked: Initial alarm creation", ""
		alarm.Updated, alarm.Transitioned = now, now
		alarm.Tags = maps.Clone(alarm.Tags)
		if alarm.Tags == nil {
			alarm.Tags = map[string]string{}
		}
		a.note(alarm.Name, now, ConfigurationUpdate, fmt.Sprintf("Alarm %q created", alarm.Name), nil)
	}
	a.alarms[alarm.Name] = &alarm
	a.keep(&alarm)
	a.wake()
}

func (a *Alarm) snapshot() Alarm {
	out := *a
	out.Tags = maps.Clone(a.Tags)
	return out
}

// All gives every alarm by name.
func (a *Alarms) All() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Alarm, 0, len(a.alarms))
	for _, name := range slices.Sorted(maps.Keys(a.alarms)) {
		all = append(all, a.alarms[name].snapshot())
	}
	return all
}

// Delete removes alarms; all of them must be there.
func (a *Alarms) Delete(names []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if _, there := a.alarms[name]; !there {
			return &control.Error{Code: "ResourceNotFound", Message: "Unable to find alarm " + name}
		}
	}
	for _, name := range names {
		delete(a.alarms, name)
		if a.journal != nil {
			a.journal.Delete(name)
		}
		a.note(name, a.opts.Clock.Now(), ConfigurationUpdate, fmt.Sprintf("Alarm %q deleted", name), nil)
	}
	a.wake()
	return nil
}

// UpdateTags applies change to the tags of the alarm of an ARN.
func (a *Alarms) UpdateTags(arn string, change func(tags map[string]string)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alarm := range a.alarms {
		if alarm.ARN == arn {
			change(alarm.Tags)
			a.keep(alarm)
			return nil
		}
	}
	return &control.Error{Code: "ResourceNotFoundException", Message: "Unable to find the alarm " + arn}
}

// EnableActions says for alarms, of which those that are not there are passed over, whether anything is done when their state changes.
func (a *Alarms) EnableActions(names []string, enabled bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if alarm := a.alarms[name]; alarm != nil {
			alarm.ActionsEnabled = enabled
			a.keep(alarm)
		}
	}
}

// SetState sets an alarm's state until it is evaluated next, and does what is to be done then.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
func (a *Alarms) SetState(name, state, reason, data string) error {
	a.mu.Lock()
	alarm := a.alarms[name]
	if alarm == nil {
		a.mu.Unlock()
		return &control.Error{Code: "ResourceNotFound", Message: "Unable to find alarm " + name}
	}
	told := a.change(alarm, verdict{state, reason, data}, a.opts.Clock.Now())
	a.mu.Unlock()
	a.act(told)
	return nil
}

// notice is what is to be told about an alarm that came into another state.
type notice struct {
	alarm    Alarm
	was      string
	at       time.Time
	receiver string
}

// change gives an alarm its state, and gives whom to tell. The caller holds a.mu.
func (a *Alarms) change(alarm *Alarm, to verdict, at time.Time) []notice {
	was := *alarm
	alarm.State, alarm.Reason, alarm.ReasonData, alarm.Updated = to.state, to.reason, to.data, at
	if was.State == to.state {
		a.keep(alarm)
		return nil
	}
	alarm.Transitioned = at
	a.keep(alarm)
	a.noteState(&was, alarm, at)
	if !alarm.ActionsEnabled {
		return nil
	}
	var told []notice
	for _, receiver := range alarm.actions(to.state) {
		told = append(told, notice{alarm.snapshot(), was.State, at, receiver})
	}
	return told
}

// act tells of what changed. It is called without a.mu: a topic may be slow.
func (a *Alarms) act(told []notice) {
	for _, n := range told {
		err := fmt.Errorf("streamgen local has no SNS")
		if a.opts.Publish != nil {
			err = a.opts.Publish(n.receiver, n.subject(a.opts.Region), n.message(a.opts.Account, a.opts.Region))
		}
		a.mu.Lock()
		a.noteAction(n, err)
		a.mu.Unlock()
	}
}

// evaluate judges every alarm whose turn it is on what is known at a time.
func (a *Alarms) evaluate(at time.Time) {
	a.mu.Lock()
	var told []notice
	for _, name := range slices.Sorted(maps.Keys(a.alarms)) {
		alarm := a.alarms[name]
		if alarm.Rule.Period >= time.Minute && !at.Equal(at.Truncate(time.Minute)) {
			continue
		}
		to := alarm.Rule.judge(a.opts.Store, at)
		if to.state == "" || to.state == alarm.State {
			continue
		}
		told = append(told, a.change(alarm, to, at)...)
	}
	a.mu.Unlock()
	a.act(told)
}

// regionName is the name that notifications call a region by.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func regionName(region string) string {
	names := map[string]string{
		"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
		"ca-central-1": "Canada (Central)", "eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)",
		"eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)", "eu-south-1": "EU (Milan)", "ap-northeast-1": "Asia Pacific (Tokyo)",
		"ap-northeast-2": "Asia Pacific (Seoul)", "ap-south-1": "Asia Pacific (Mumbai)", "ap-southeast-1": "Asia Pacific (Singapore)",
		"ap-southeast-2": "Asia Pacific (Sydney)", "sa-east-1": "South America (Sao Paulo)",
	}
	if name := names[region]; name != "" {
		return name
	}
	return region
}

func (n *notice) subject(region string) string {
	subject := fmt.Sprintf("%s: %q in %s", n.alarm.State, n.alarm.Name, regionName(region))
	const most = 100 // of a subject's characters
	if runes := []rune(subject); len(runes) > most {
		subject = string(runes[:most-3]) + "..."
	}
	return subject
}

// optional is a text, or null for none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

type trigger struct {
	MetricName, Namespace            string
	StatisticType                    string
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []dimension
	Period                           int
	EvaluationPeriods                int
	DatapointsToAlarm                int
	ComparisonOperator               string
	Threshold                        float64
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

type dimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// message is what AWS sends to a topic about an alarm.
func (n *notice) message(account, region string) string {
	r := &n.alarm.Rule
	about := trigger{
		MetricName: r.Name, Namespace: r.Namespace, StatisticType: "Statistic", Unit: optional(r.Unit), Dimensions: []dimension{},
		Period: int(r.Period / time.Second), EvaluationPeriods: r.EvaluationPeriods, DatapointsToAlarm: r.needed(),
		ComparisonOperator: r.Comparison, Threshold: r.Threshold, TreatMissingData: r.treatMissing(), EvaluateLowSampleCountPercentile: r.LowSamples,
	}
	upper := map[string]string{Average: "AVERAGE", Sum: "SUM", Minimum: "MINIMUM", Maximum: "MAXIMUM", SampleCount: "SAMPLE_COUNT"}
	if about.Statistic = upper[r.Statistic]; about.Statistic == "" {
		about.StatisticType, about.ExtendedStatistic = "ExtendedStatistic", r.Statistic
	}
	for _, d := range r.Dimensions {
		about.Dimensions = append(about.Dimensions, dimension{d.Value, d.Name})
	}
	list := func(arns []string) []string { return append([]string{}, arns...) }
	text, _ := json.Marshal(struct { // no value that cannot be written
		AlarmName                                         string
		AlarmDescription                                  *string
		AWSAccountID                                      string `json:"AWSAccountId"`
		AlarmConfigurationUpdatedTimestamp, NewStateValue string
		NewStateReason, StateChangeTime, Region, AlarmArn string
		OldStateValue                                     string
		OKActions, AlarmActions, InsufficientDataActions  []string
		Trigger                                           trigger
	}{
		n.alarm.Name, optional(n.alarm.Description), account, timestamp(n.alarm.Configured), n.alarm.State, n.alarm.Reason, timestamp(n.at),
		regionName(region), n.alarm.ARN, n.was, list(n.alarm.OKActions), list(n.alarm.AlarmActions), list(n.alarm.InsufficientActions), about,
	})
	return string(text)
}

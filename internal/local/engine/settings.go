package engine

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Settings are what a table has besides keys, items and stream. They are a plain value: whoever changes them takes a clone and puts
// it in the old one's place, so that a description or a backup may keep what it was given.
type Settings struct {
	Capacity
	// Indexes are the capacities of the global indexes, by name.
	Indexes map[string]Capacity `json:",omitempty"`
	// OnDemand is billing mode PAY_PER_REQUEST, else it is PROVISIONED.
	OnDemand bool
	// OnDemandSince is when the table was last made an on-demand one; zero when it never was.
	OnDemandSince      time.Time
	Class              Class
	Encryption         Encryption
	DeletionProtection bool
	Tags               map[string]string `json:",omitempty"`
	// TimeToLive is the attribute with the items' expiry, "" when time to live is off.
	TimeToLive string
	Recovery   Recovery
	// Policies are the resource policies of the table and its streams, by ARN.
	Policies map[string]Policy `json:",omitempty"`
	// Insights are the contributor insights of the indexes by name; that of "" is the table's own.
	Insights map[string]Insights `json:",omitempty"`
	Restored Restored
}

// Class is a table's class; Name is "" for a table that never had another than STANDARD.
type Class struct {
	Name string
	// Changed is zero for a class that the table was created with.
	Changed time.Time
}

// Encryption says which key of KMS encrypts a table, that is described as encrypted: nothing is. It is zero for the key that
// DynamoDB owns.
type Encryption struct {
	Enabled bool
	// Key is the key's ARN. A request may give its id as well, or "" for the key that AWS manages for DynamoDB.
	Key string
}

const keyARN = "arn:aws:kms:%s:%s:key/%s"

// ManagedKey is the ARN of the key that AWS manages for DynamoDB.
func (e *Engine) ManagedKey() string {
	id := sha256.Sum256([]byte(e.arn("aws/dynamodb")))
	managed := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
	return fmt.Sprintf(keyARN, e.options.Region, e.options.Account, managed)
}

// encryption puts the ARN of the key in the place of what a request gives.
func (e *Engine) encryption(asked Encryption) Encryption {
	switch {
	case !asked.Enabled:
		return Encryption{}
	case asked.Key == "":
		return Encryption{Enabled: true, Key: e.ManagedKey()}
	case strings.HasPrefix(asked.Key, "arn:"):
		return asked
	default:
		return Encryption{Enabled: true, Key: fmt.Sprintf(keyARN, e.options.Region, e.options.Account, asked.Key)}
	}
}

// Restored tells where a restored table came from; it is zero for any other.
type Restored struct {
	BackupARN, TableARN string
	At                  time.Time
}

// clone copies the settings: no change of the one is seen in the other.
func (s Settings) clone() Settings {
	s.Indexes = cloned(s.Indexes)
	s.Tags = cloned(s.Tags)
	s.Policies = cloned(s.Policies)
	s.Insights = cloned(s.Insights)
	return s
}

// asOf gives the settings with the decreases of the capacities that belong to the UTC day of now.
func (s Settings) asOf(now time.Time) Settings {
	s = s.clone()
	s.Decreases = s.DecreasesToday(now)
	for name, c := range s.Indexes {
		c.Decreases = c.DecreasesToday(now)
		s.Indexes[name] = c
	}
	return s
}

// cloned is maps.Clone that makes a map of nil.
func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// restore keeps what a restored table has of its source's settings.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_HowItWorks.html
func (s Settings) restore(from Restored) Settings {
	next := Settings{Capacity: s.forget(), OnDemand: s.OnDemand, Class: Class{Name: s.Class.Name}, Encryption: s.Encryption, Restored: from}
	next.Indexes = map[string]Capacity{}
	for name, c := range s.Indexes {
		next.Indexes[name] = c.forget()
	}
	if s.OnDemand {
		next.OnDemandSince = from.At
	}
	return next
}

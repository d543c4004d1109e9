// Package objects is what the local stack has of S3: buckets with their settings, and objects without versions. It is one for all regions:
// a bucket lies in one of them, and its name is in none of the others.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
package objects

import (
	"crypto/md5" //nolint:gosec // the ETag of an object is the MD5 of its content
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"streamgen/internal/local/clock"
)

// Error is a rule of S3's that a call broke.
type Error struct {
	// Code is one of the constants below.
	Code string
	// Message is S3's text for it.
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes of [Error], as S3 names them on the wire.
const (
	NoSuchBucket   = "NoSuchBucket"
	NoSuchKey      = "NoSuchKey"
	BucketNotEmpty = "BucketNotEmpty"
	BucketExists   = "BucketAlreadyOwnedByYou"
)

// Encryption is how objects are said to be encrypted: kept and given back, nothing is encrypted.
type Encryption struct {
	// Algorithm is AES256, aws:kms or aws:kms:dsse.
	Algorithm string
	// KeyID is that of a KMS key; "" is AWS's own for S3.
	KeyID     string `json:",omitempty"`
	BucketKey bool   `json:",omitempty"`
}

// PublicAccess is a bucket's public access block.
type PublicAccess struct{ BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool }

// Bucket is a bucket's settings.
type Bucket struct {
	Name, Region string
	Created      time.Time
	Tags         map[string]string `json:",omitempty"`
	Policy       string            `json:",omitempty"` // "" for none
	PublicAccess *PublicAccess     // nil for none
	// Ownership is that of objects; "" for no setting.
	Ownership  string
	Encryption Encryption
}

// ARN is the bucket's.
func (b Bucket) ARN() string { return arnPrefix + b.Name }

const arnPrefix = "arn:aws:s3:::"

// Checksum is one of an object's content, in base64.
type Checksum struct{ Algorithm, Value string }

// Object is an object with its content. What a Store gave is not the receiver's to change.
type Object struct {
	Key, ETag string // ETag without quotes
	Modified  time.Time
	Body      []byte
	// Header are the headers that S3 gives back as they came, such as Content-Type.
	Header map[string]string `json:",omitempty"`
	// Metadata are the user's own, by lower-case name without "x-amz-meta-".
	Metadata   map[string]string `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
	Checksum   Checksum
	Encryption Encryption
}

// Journal keeps entries by a key, so that they outlive the process. It is called under the store's lock.
type Journal interface {
	// Put keeps an entry as JSON, as it is now.
	Put(key string, entry any)
	Delete(key string)
	// Each gives what is kept, in the order of the keys.
	Each(f func(key string, entry []byte) error) error
}

type bucket struct {
	Bucket
	objects btree.Map[string, Object]
}

// Store has the buckets of all regions. It is safe for concurrent use.
type Store struct {
	clock clock.Clock

	mu      sync.Mutex
	buckets map[string]*bucket

	bucketsJournal, objectsJournal Journal // nil keep nothing
}

// New gives an empty store.
func New(c clock.Clock) *Store { return &Store{clock: c, buckets: map[string]*bucket{}} }

// Restore takes in the buckets and the objects that the journals have, and tells them of every change from then on. It comes before all
// other calls.
func (s *Store) Restore(buckets, objects Journal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucketsJournal, s.objectsJournal = buckets, objects
	err := buckets.Each(func(name string, text []byte) error {
		b := &bucket{}
		s.buckets[name] = b
		return json.Unmarshal(text, &b.Bucket)
	})
	if err != nil {
		return err
	}
	return objects.Each(func(path string, text []byte) error {
		var o Object
		if err := json.Unmarshal(text, &o); err != nil {
			return err
		}
		name, _, _ := strings.Cut(path, "/")
		if b := s.buckets[name]; b != nil {
			b.objects.Set(o.Key, o)
		}
		return nil
	})
}

func (s *Store) keep(b *bucket) {
	if s.bucketsJournal != nil {
		s.bucketsJournal.Put(b.Name, b.Bucket)
	}
}

func (s *Store) keepObject(b *bucket, o Object) {
	b.objects.Set(o.Key, o)
	if s.objectsJournal != nil {
		s.objectsJournal.Put(b.Name+"/"+o.Key, o)
	}
}

func (s *Store) find(name string) (*bucket, error) {
	if b := s.buckets[name]; b != nil {
		return b, nil
	}
	return nil, &Error{NoSuchBucket, "The specified bucket does not exist"}
}

// Create makes a bucket as AWS makes one today: no ACLs, no public access, encrypted with S3's own key.
func (s *Store) Create(name, region string, tags map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return &Error{BucketExists, "Your previous request to create the named bucket succeeded and you already own it."}
	}
	b := &bucket{Bucket: Bucket{
		Name: name, Region: region, Created: s.clock.Now(), Tags: maps.Clone(tags), PublicAccess: &PublicAccess{true, true, true, true},
		Ownership: "BucketOwnerEnforced", Encryption: Encryption{Algorithm: "AES256"},
	}}
	s.buckets[name] = b
	s.keep(b)
	return nil
}

// Bucket gives a bucket's settings.
func (s *Store) Bucket(name string) (Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return Bucket{}, err
	}
	return b.clone(), nil
}

func (b *bucket) clone() Bucket {
	out := b.Bucket
	out.Tags = maps.Clone(b.Tags)
	if b.PublicAccess != nil {
		access := *b.PublicAccess
		out.PublicAccess = &access
	}
	return out
}

// Policy gives the policy of the bucket of an ARN. ok is false when there is none.
func (s *Store) Policy(arn string) (text string, ok bool) {
	name, ours := strings.CutPrefix(arn, arnPrefix)
	b, err := s.Bucket(name)
	return b.Policy, ours && err == nil && b.Policy != ""
}

// Buckets gives all buckets by name.
func (s *Store) Buckets() []Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Bucket, 0, len(s.buckets))
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		all = append(all, s.buckets[name].clone())
	}
	return all
}

// Update applies change to a bucket's settings.
func (s *Store) Update(name string, change func(*Bucket)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err == nil {
		change(&b.Bucket)
		s.keep(b)
	}
	return err
}

// Delete removes a bucket, which must be empty.
func (s *Store) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return err
	}
	if b.objects.Len() > 0 {
		return &Error{BucketNotEmpty, "The bucket you tried to delete is not empty"}
	}
	delete(s.buckets, name)
	if s.bucketsJournal != nil {
		s.bucketsJournal.Delete(name)
	}
	return nil
}

// Drop removes the buckets of a region, or with "" all, with what is in them.
func (s *Store) Drop(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.buckets, func(_ string, b *bucket) bool { return region == "" || b.Region == region })
}

// Put puts an object into a bucket with the time, the ETag, and where it has none the bucket's encryption and a checksum; in place of one that is there if allowed says so; a nil allowed always does. It is given what is
// there, and its error is Put's.
func (s *Store) Put(name string, o Object, allowed func(there *Object) error) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return Object{}, err
	}
	if allowed != nil {
		var there *Object
		if have, found := b.objects.Get(o.Key); found {
			there = &have
		}
		if err := allowed(there); err != nil {
			return Object{}, err
		}
	}
	o.Modified = s.clock.Now()
	sum := md5.Sum(o.Body) //nolint:gosec // see the import
	o.ETag = hex.EncodeToString(sum[:])
	if o.Checksum == (Checksum{}) {
		o.Checksum = Sum(CRC64NVME, o.Body)
	}
	if o.Encryption == (Encryption{}) {
		o.Encryption = b.Encryption
	}
	s.keepObject(b, o)
	return o, nil
}

// Get gives an object.
func (s *Store) Get(name, key string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return Object{}, err
	}
	return b.get(key)
}

func (b *bucket) get(key string) (Object, error) {
	o, found := b.objects.Get(key)
	if !found {
		return Object{}, &Error{NoSuchKey, "The specified key does not exist."}
	}
	return o, nil
}

// SetTags gives an object other tags.
func (s *Store) SetTags(name, key string, tags map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return err
	}
	o, err := b.get(key)
	if err != nil {
		return err
	}
	o.Tags = tags
	s.keepObject(b, o)
	return nil
}

// Remove removes an object. One that is gone is no error.
func (s *Store) Remove(name, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return err
	}
	if _, there := b.objects.Delete(key); there && s.objectsJournal != nil {
		s.objectsJournal.Delete(name + "/" + key)
	}
	return nil
}

// Query says which objects of a bucket are listed.
type Query struct {
	Prefix string
	// Delimiter makes one entry of all keys that are the same up to and with its first occurrence after the prefix.
	Delimiter string
	// After is the key, or such an entry, after which the page begins.
	After string
	// Most is how many entries the page may have.
	Most int
}

// Page is a part of a listing.
type Page struct {
	Objects  []Object
	Prefixes []string
	// Next is the After of the next page; "" on the last.
	Next string
}

// List gives objects in the order of their keys' bytes.
func (s *Store) List(name string, q Query) (Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return Page{}, err
	}
	var page Page
	last, entries := "", 0
	b.objects.Ascend(max(q.Prefix, q.After), func(key string, o Object) bool {
		if !strings.HasPrefix(key, q.Prefix) {
			return key < q.Prefix
		}
		entry, isKey := key, true
		if q.Delimiter != "" {
			if before, _, found := strings.Cut(key[len(q.Prefix):], q.Delimiter); found {
				entry, isKey = q.Prefix+before+q.Delimiter, false
			}
		}
		if key == q.After || entry == q.After || entries > 0 && entry == last {
			return true
		}
		if entries == q.Most {
			page.Next = last
			return false
		}
		entries, last = entries+1, entry
		if isKey {
			page.Objects = append(page.Objects, o)
		} else {
			page.Prefixes = append(page.Prefixes, entry)
		}
		return true
	})
	return page, nil
}

// Count gives how many objects a bucket has, and their bytes.
func (s *Store) Count(name string) (objects, bytes int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.find(name)
	if err != nil {
		return 0, 0, err
	}
	b.objects.Scan(func(_ string, o Object) bool {
		bytes += len(o.Body)
		return true
	})
	return b.objects.Len(), bytes, nil
}

package main

import (
	"os"
	"path/filepath"
	"sync"

	"go.etcd.io/bbolt"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// Everything the program knows is in one bbolt database, so that one
// transaction can cover what a service keeps, the barrier's rows and the
// ledger.
var (
	barrierBucket        = []byte("barrier")
	chargesBucket        = []byte("charges")
	ledgerBucket         = []byte("ledger")
	paymentMethodsBucket = []byte("payment_methods")
)

var allBuckets = [][]byte{barrierBucket, chargesBucket, ledgerBucket, paymentMethodsBucket}

// A store is the database, and a way to hear of its changes.
type store struct {
	*bbolt.DB
	mutex   sync.Mutex
	changed chan struct{}
}

// openStore opens the database in directory, made when missing. Without a
// directory, what is stored is gone with the program.
func openStore(directory string) (*store, error) {
	db, err := openDatabase(directory)
	if err != nil {
		return nil, err
	}
	return &store{DB: db, changed: make(chan struct{})}, db.Update(createBuckets)
}

// Update does all of change, or, when it fails, nothing of it. What it did is
// on the disk when Update returns: bbolt syncs the file with every transaction.
func (s *store) Update(change func(tx *bbolt.Tx) error) error {
	if err := s.DB.Update(change); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// nextChange is closed by the next change. Whoever asks before reading misses
// none.
func (s *store) nextChange() <-chan struct{} {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.changed
}

func openDatabase(directory string) (*bbolt.DB, error) {
	if directory != "" {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return nil, err
		}
		return bbolt.Open(filepath.Join(directory, "services.db"), 0o600, nil)
	}
	file, err := os.CreateTemp("", "services-*.db")
	if err != nil {
		return nil, err
	}
	// bbolt wants a file. One without a name is as good as memory, and there is
	// nothing to clean up, not even after a crash.
	defer os.Remove(file.Name())
	defer file.Close()
	return bbolt.Open(file.Name(), 0o600, &bbolt.Options{NoSync: true})
}

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range allBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// clearStore forgets everything.
func clearStore(tx *bbolt.Tx) error {
	for _, name := range allBuckets {
		if err := tx.DeleteBucket(name); err != nil {
			return err
		}
	}
	return createBuckets(tx)
}

// get reads a message; NOT_FOUND when there is none.
func get[Message proto.Message](tx *bbolt.Tx, bucket []byte, id string) (Message, error) {
	message := newMessage[Message]()
	value := tx.Bucket(bucket).Get([]byte(id))
	if value == nil {
		return message, rpcError(codes.NotFound, "", "Cannot find in %s: %s", bucket, id)
	}
	return message, proto.Unmarshal(value, message)
}

// add writes a message; ALREADY_EXISTS when the id is taken.
func add(tx *bbolt.Tx, bucket []byte, id string, message proto.Message) error {
	if tx.Bucket(bucket).Get([]byte(id)) != nil {
		return rpcError(codes.AlreadyExists, "", "Exists in %s: %s", bucket, id)
	}
	return put(tx, bucket, id, message)
}

func put(tx *bbolt.Tx, bucket []byte, id string, message proto.Message) error {
	value, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put([]byte(id), value)
}

// newMessage makes an empty message of a generated type.
func newMessage[Message proto.Message]() Message {
	var none Message
	return none.ProtoReflect().New().Interface().(Message)
}

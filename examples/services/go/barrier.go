package main

// What makes a service safe to call from a saga.
//
// A workflow engine that lost an answer asks again, and one that gave up asks
// to undo. On the wire such calls overtake each other: the undo may arrive
// first, and the action after it. The barrier keeps one row for every call it
// has seen, unique by the call's key, and writes it in the transaction that
// does the work. So that
//
//   - an action that comes again is answered as before, and nothing is done
//     twice;
//   - an undo of something that never happened does nothing, and is remembered
//     as "void";
//   - an action that arrives after its undo does nothing: it is turned away
//     with ABORTED.
//
// Calls say who they are in their metadata:
//
//	idempotency-key      the call itself, the same over retries and restarts
//	maestro-action-key   of an undo or a verification: the idempotency key of
//	                     its action
//	maestro-op           action, compensate or verify
//	maestro-run-id       the workflow's run
//
// A call without metadata, say from grpcurl, is simply done.

import (
	"context"

	"go.etcd.io/bbolt"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	ledgerv1 "example.com/maestro/services/gen/ledger/v1"
)

// work does what a call asks for, within the barrier's transaction.
type work[Response proto.Message] func(tx *bbolt.Tx) (Response, error)

// A row is the state of a call and, when that is done, the bytes of its
// response.
type rowState byte

const (
	absent rowState = 0
	done   rowState = 'd'
	undone rowState = 'u'
	void   rowState = 'v'
)

// act does something: once for each idempotency key.
func act[Response proto.Message](
	ctx context.Context, db *store, method string, do work[Response],
) (Response, error) {
	return once(ctx, db, func(tx *bbolt.Tx) (Response, error) {
		response, err := do(tx)
		if err != nil {
			return response, err
		}
		return response, record(ctx, tx, method, ledgerv1.State_STATE_DONE)
	})
}

// undo takes back what an action did. It does so only if that action took place
// here; if not, the answer is an empty response, and the action never will.
func undo[Response proto.Message](
	ctx context.Context, db *store, method string, do work[Response],
) (Response, error) {
	return once(ctx, db, func(tx *bbolt.Tx) (Response, error) {
		response := newMessage[Response]()
		if actionKey := valueOf(ctx, "maestro-action-key"); actionKey != "" {
			state, err := settle(ctx, tx, method, actionKey)
			if err != nil || state == void {
				return response, err
			}
			// Not deleted: the row must still stop the action from coming
			// again. And it may be undone already, since an action can have
			// several undos, each with a key of its own.
			if err := writeRow(tx, actionKey, undone, nil); err != nil {
				return response, err
			}
		}
		response, err := do(tx)
		if err != nil {
			return response, err
		}
		return response, record(ctx, tx, method, ledgerv1.State_STATE_UNDONE)
	})
}

// verify reads, and so can tell a workflow whether an action happened.
// NOT_FOUND is a promise: the workflow goes on without the action, which
// therefore must not come late.
func verify[Response proto.Message](
	ctx context.Context, db *store, method string, find work[Response],
) (response Response, err error) {
	if actionKey := valueOf(ctx, "maestro-action-key"); actionKey != "" {
		var state rowState
		err = db.Update(func(tx *bbolt.Tx) (err error) {
			state, err = settle(ctx, tx, method, actionKey)
			return err
		})
		if err != nil {
			return response, err
		}
		if state != done {
			return response, rpcError(codes.NotFound, "", "The action does not stand: %s", actionKey)
		}
	}
	err = db.View(func(tx *bbolt.Tx) (err error) {
		response, err = find(tx)
		return err
	})
	return response, err
}

// once does the work and remembers its response, unless the call was seen
// before.
func once[Response proto.Message](
	ctx context.Context, db *store, do work[Response],
) (response Response, err error) {
	key := valueOf(ctx, "idempotency-key")
	err = db.Update(func(tx *bbolt.Tx) (err error) {
		if key == "" {
			response, err = do(tx)
			return err
		}
		switch state, seen := readRow(tx, key); state {
		case done:
			response = newMessage[Response]()
			return proto.Unmarshal(seen, response)
		case undone, void:
			return rpcError(codes.Aborted, "ACTION_UNDONE", "Undone before it arrived: %s", key)
		}
		if response, err = do(tx); err != nil {
			return err
		}
		bytes, err := proto.Marshal(response)
		if err != nil {
			return err
		}
		return writeRow(tx, key, done, bytes)
	})
	return response, err
}

// settle tells what became of an action. One that never came is made void: from
// now on it never will.
func settle(
	ctx context.Context, tx *bbolt.Tx, method, actionKey string,
) (rowState, error) {
	if state, _ := readRow(tx, actionKey); state != absent {
		return state, nil
	}
	if err := writeRow(tx, actionKey, void, nil); err != nil {
		return absent, err
	}
	return void, record(ctx, tx, method, ledgerv1.State_STATE_VOID)
}

func readRow(tx *bbolt.Tx, key string) (rowState, []byte) {
	row := tx.Bucket(barrierBucket).Get([]byte(key))
	if row == nil {
		return absent, nil
	}
	return rowState(row[0]), row[1:]
}

func writeRow(tx *bbolt.Tx, key string, state rowState, response []byte) error {
	row := append([]byte{byte(state)}, response...)
	return tx.Bucket(barrierBucket).Put([]byte(key), row)
}

// valueOf reads one of the keys above from the call's metadata.
func valueOf(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

package main

import (
	"context"
	"encoding/binary"
	"strings"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	ledgerv1 "example.com/maestro/services/gen/ledger/v1"
)

var operations = map[string]ledgerv1.Operation{
	"action":     ledgerv1.Operation_OPERATION_ACTION,
	"compensate": ledgerv1.Operation_OPERATION_COMPENSATE,
	"verify":     ledgerv1.Operation_OPERATION_VERIFY,
}

// record adds to what was done and undone. It belongs into the transaction that
// does what it tells of.
func record(ctx context.Context, tx *bbolt.Tx, method string, state ledgerv1.State) error {
	bucket := tx.Bucket(ledgerBucket)
	sequence, err := bucket.NextSequence()
	if err != nil {
		return err
	}
	actionKey := valueOf(ctx, "maestro-action-key")
	if actionKey == "" {
		actionKey = valueOf(ctx, "idempotency-key")
	}
	value, err := proto.Marshal(&ledgerv1.Record{
		Sequence:  int64(sequence),
		Time:      timestamppb.Now(),
		Method:    strings.TrimPrefix(method, "/"),
		Operation: operations[valueOf(ctx, "maestro-op")],
		State:     state,
		ActionKey: actionKey,
		RunId:     valueOf(ctx, "maestro-run-id"),
	})
	if err != nil {
		return err
	}
	// Big-endian, so that the order of the keys is the order of the records.
	return bucket.Put(binary.BigEndian.AppendUint64(nil, sequence), value)
}

// ledgerServer is ledger.v1.Ledger.
type ledgerServer struct {
	ledgerv1.UnimplementedLedgerServer
	db      *store
	streams *openStreams
}

func (s *ledgerServer) List(
	_ context.Context, request *ledgerv1.ListRequest,
) (*ledgerv1.ListResponse, error) {
	response := &ledgerv1.ListResponse{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(ledgerBucket).ForEach(func(_, value []byte) error {
			record := &ledgerv1.Record{}
			if err := proto.Unmarshal(value, record); err != nil {
				return err
			}
			if request.GetRunId() == "" || request.GetRunId() == record.GetRunId() {
				response.Records = append(response.Records, record)
			}
			return nil
		})
	})
	return response, err
}

func (s *ledgerServer) ListStreams(
	_ context.Context, request *ledgerv1.ListStreamsRequest,
) (*ledgerv1.ListStreamsResponse, error) {
	return &ledgerv1.ListStreamsResponse{Streams: s.streams.list(request.GetRunId())}, nil
}

func (s *ledgerServer) Reset(
	context.Context, *ledgerv1.ResetRequest,
) (*ledgerv1.ResetResponse, error) {
	return &ledgerv1.ResetResponse{}, s.db.Update(clearStore)
}

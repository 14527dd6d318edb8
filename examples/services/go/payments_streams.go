package main

// The methods of payments.v1.Payments that take or answer streams.

import (
	"errors"
	"io"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	moneyv1 "example.com/maestro/services/gen/money/v1"
	paymentsv1 "example.com/maestro/services/gen/payments/v1"
)

func (s *paymentsServer) ListCharges(
	request *paymentsv1.ListChargesRequest,
	stream grpc.ServerStreamingServer[paymentsv1.ListChargesResponse],
) error {
	// As they went out: one that has changed since goes out again.
	sent := map[string]*paymentsv1.Charge{}
	for {
		changed := s.db.nextChange()
		charges, err := s.charges(request.GetStatus())
		if err != nil {
			return err
		}
		for _, charge := range charges {
			if proto.Equal(sent[charge.GetOrderId()], charge) {
				continue
			}
			if err := stream.Send(&paymentsv1.ListChargesResponse{Charge: charge}); err != nil {
				return err
			}
			sent[charge.GetOrderId()] = charge
		}
		if !request.GetFollow() {
			return nil
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// charges reads those of a status, or all.
func (s *paymentsServer) charges(
	status paymentsv1.ChargeStatus,
) (charges []*paymentsv1.Charge, err error) {
	// Read at once and sent afterwards: a slow reader must not hold up the
	// database.
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(chargesBucket).ForEach(func(_, value []byte) error {
			charge := &paymentsv1.Charge{}
			if err := proto.Unmarshal(value, charge); err != nil {
				return err
			}
			if status == paymentsv1.ChargeStatus_CHARGE_STATUS_UNSPECIFIED ||
				status == charge.GetStatus() {
				charges = append(charges, charge)
			}
			return nil
		})
	})
	return charges, err
}

func (s *paymentsServer) ImportCharges(
	stream grpc.ClientStreamingServer[
		paymentsv1.ImportChargesRequest, paymentsv1.ImportChargesResponse,
	],
) error {
	const method = paymentsv1.Payments_ImportCharges_FullMethodName
	// The transaction begins when all is there: a stream that breaks off does
	// nothing.
	orders, err := receiveAll(stream)
	if err != nil {
		return err
	}
	do := func(tx *bbolt.Tx) (*paymentsv1.ImportChargesResponse, error) {
		return importCharges(tx, orders)
	}
	response, err := act(stream.Context(), s.db, method, do)
	if err != nil {
		return err
	}
	return stream.SendAndClose(response)
}

func importCharges(
	tx *bbolt.Tx, orders []*paymentsv1.ImportChargesRequest,
) (*paymentsv1.ImportChargesResponse, error) {
	if len(orders) == 0 {
		return nil, rpcError(codes.InvalidArgument, "", "Cannot be empty: the stream")
	}
	totals := map[string]int64{}
	for _, order := range orders {
		if _, err := charge(tx, order); err != nil {
			return nil, err
		}
		totals[order.GetAmount().GetCurrencyCode()] += order.GetAmount().GetMinorUnits()
	}
	response := &paymentsv1.ImportChargesResponse{ChargeCount: int32(len(orders))}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		response.Totals = append(response.Totals,
			&moneyv1.Money{CurrencyCode: currency, MinorUnits: totals[currency]})
	}
	return response, nil
}

func (s *paymentsServer) Quote(
	stream grpc.BidiStreamingServer[paymentsv1.QuoteRequest, paymentsv1.QuoteResponse],
) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		amount := request.GetAmount()
		if err := checkAmount(amount); err != nil {
			return err
		}
		response := &paymentsv1.QuoteResponse{Amount: amount, Fee: &moneyv1.Money{
			CurrencyCode: amount.GetCurrencyCode(),
			MinorUnits:   (amount.GetMinorUnits()*14+999)/1000 + 25,
		}}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

// receiveAll reads a client's stream to its end.
func receiveAll[Request, Response any](
	stream grpc.ClientStreamingServer[Request, Response],
) (requests []*Request, err error) {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			// A client that breaks off may end its stream on the way out.
			return requests, stream.Context().Err()
		}
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
}

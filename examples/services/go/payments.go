package main

import (
	"context"
	"crypto/rand"

	"go.etcd.io/bbolt"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "example.com/maestro/services/gen/money/v1"
	paymentsv1 "example.com/maestro/services/gen/payments/v1"
)

var brands = map[string]paymentsv1.CardBrand{
	"tok_visa":       paymentsv1.CardBrand_CARD_BRAND_VISA,
	"tok_mastercard": paymentsv1.CardBrand_CARD_BRAND_MASTERCARD,
}

// paymentsServer is payments.v1.Payments.
type paymentsServer struct {
	paymentsv1.UnimplementedPaymentsServer
	db *store
}

func (s *paymentsServer) AddPaymentMethod(
	ctx context.Context, request *paymentsv1.AddPaymentMethodRequest,
) (*paymentsv1.AddPaymentMethodResponse, error) {
	const method = paymentsv1.Payments_AddPaymentMethod_FullMethodName
	return act(ctx, s.db, method, func(tx *bbolt.Tx) (*paymentsv1.AddPaymentMethodResponse, error) {
		id := request.GetPaymentMethodId()
		if id == "" || request.GetAccountId() == "" {
			return nil, rpcError(codes.InvalidArgument, "",
				"Cannot be empty: payment_method_id, account_id")
		}
		brand, err := brandOf(request.GetCardToken())
		if err != nil {
			return nil, err
		}
		paymentMethod := &paymentsv1.PaymentMethod{
			PaymentMethodId: id,
			AccountId:       request.GetAccountId(),
			Brand:           brand,
			CreateTime:      timestamppb.Now(),
		}
		return &paymentsv1.AddPaymentMethodResponse{PaymentMethod: paymentMethod},
			add(tx, paymentMethodsBucket, id, paymentMethod)
	})
}

func (s *paymentsServer) RemovePaymentMethod(
	ctx context.Context, request *paymentsv1.RemovePaymentMethodRequest,
) (*paymentsv1.RemovePaymentMethodResponse, error) {
	const method = paymentsv1.Payments_RemovePaymentMethod_FullMethodName
	return undo(ctx, s.db, method, func(tx *bbolt.Tx) (*paymentsv1.RemovePaymentMethodResponse, error) {
		id := request.GetPaymentMethodId()
		if _, err := get[*paymentsv1.PaymentMethod](tx, paymentMethodsBucket, id); err != nil {
			return nil, err
		}
		return &paymentsv1.RemovePaymentMethodResponse{},
			tx.Bucket(paymentMethodsBucket).Delete([]byte(id))
	})
}

func (s *paymentsServer) Charge(
	ctx context.Context, request *paymentsv1.ChargeRequest,
) (*paymentsv1.ChargeResponse, error) {
	const method = paymentsv1.Payments_Charge_FullMethodName
	return act(ctx, s.db, method, func(tx *bbolt.Tx) (*paymentsv1.ChargeResponse, error) {
		charge, err := charge(tx, request)
		return &paymentsv1.ChargeResponse{Charge: charge}, err
	})
}

func (s *paymentsServer) Refund(
	ctx context.Context, request *paymentsv1.RefundRequest,
) (*paymentsv1.RefundResponse, error) {
	const method = paymentsv1.Payments_Refund_FullMethodName
	return undo(ctx, s.db, method, func(tx *bbolt.Tx) (*paymentsv1.RefundResponse, error) {
		id := request.GetOrderId()
		charge, err := get[*paymentsv1.Charge](tx, chargesBucket, id)
		if err != nil {
			return nil, err
		}
		if charge.GetStatus() == paymentsv1.ChargeStatus_CHARGE_STATUS_REFUNDED {
			return nil, rpcError(codes.NotFound, "", "Nothing is left to refund: %s", id)
		}
		charge.Status = paymentsv1.ChargeStatus_CHARGE_STATUS_REFUNDED
		return &paymentsv1.RefundResponse{Charge: charge}, put(tx, chargesBucket, id, charge)
	})
}

func (s *paymentsServer) GetCharge(
	ctx context.Context, request *paymentsv1.GetChargeRequest,
) (*paymentsv1.GetChargeResponse, error) {
	const method = paymentsv1.Payments_GetCharge_FullMethodName
	return verify(ctx, s.db, method, func(tx *bbolt.Tx) (*paymentsv1.GetChargeResponse, error) {
		charge, err := get[*paymentsv1.Charge](tx, chargesBucket, request.GetOrderId())
		return &paymentsv1.GetChargeResponse{Charge: charge}, err
	})
}

// order is what a charge is made of, whichever method asks for it.
type order interface {
	GetOrderId() string
	GetAmount() *moneyv1.Money
	GetCardToken() string
}

func charge(tx *bbolt.Tx, order order) (*paymentsv1.Charge, error) {
	if order.GetOrderId() == "" {
		return nil, rpcError(codes.InvalidArgument, "", "Cannot be empty: order_id")
	}
	if err := checkAmount(order.GetAmount()); err != nil {
		return nil, err
	}
	// Asking the card's network; it is the token that decides what it says.
	if _, err := brandOf(order.GetCardToken()); err != nil {
		return nil, err
	}
	charge := &paymentsv1.Charge{
		ChargeId:   "ch_" + rand.Text(),
		OrderId:    order.GetOrderId(),
		Amount:     order.GetAmount(),
		Status:     paymentsv1.ChargeStatus_CHARGE_STATUS_CAPTURED,
		CreateTime: timestamppb.Now(),
	}
	return charge, add(tx, chargesBucket, order.GetOrderId(), charge)
}

func checkAmount(amount *moneyv1.Money) error {
	if amount.GetMinorUnits() <= 0 {
		return rpcError(codes.InvalidArgument, "", "Must be more than zero: amount")
	}
	return nil
}

func brandOf(cardToken string) (paymentsv1.CardBrand, error) {
	if cardToken == "tok_declined" {
		return 0, rpcError(codes.FailedPrecondition, "CARD_DECLINED", "The card was declined")
	}
	brand, known := brands[cardToken]
	if !known {
		return 0, rpcError(codes.InvalidArgument, "", "Cannot use card_token: %s", cardToken)
	}
	return brand, nil
}

package accrete

import (
	"context"

	"accrete.example/accrete/accretev1"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

func unaryInterceptor(token TokenSource) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		ctx, err := withHeaders(ctx, token)
		if err != nil {
			return err
		}
		return typed(invoke(ctx, method, withRequestID(request), reply, connection, options...), connection.Target())
	}
}

func streamInterceptor(token TokenSource) grpc.StreamClientInterceptor {
	return func(ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
		open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx, err := withHeaders(ctx, token)
		if err != nil {
			return nil, err
		}
		stream, err := open(ctx, description, connection, method, options...)
		if err != nil {
			return nil, typed(err, connection.Target())
		}
		return typedStream{stream, connection.Target()}, nil
	}
}

// A stream that fails with errors of ours.
type typedStream struct {
	grpc.ClientStream
	address string
}

func (s typedStream) SendMsg(message any) error {
	return typed(s.ClientStream.SendMsg(message), s.address)
}

func (s typedStream) RecvMsg(message any) error {
	return typed(s.ClientStream.RecvMsg(message), s.address)
}

func (s typedStream) CloseSend() error { return typed(s.ClientStream.CloseSend(), s.address) }

// What every call carries: who calls, and the trace that it belongs to.
func withHeaders(ctx context.Context, token TokenSource) (context.Context, error) {
	headers, _ := metadata.FromOutgoingContext(ctx)
	headers = headers.Copy()
	otel.GetTextMapPropagator().Inject(ctx, carrier(headers))
	if token != nil {
		bearer, err := token(ctx)
		if err != nil {
			return nil, err
		}
		headers.Set("authorization", "Bearer "+bearer)
	}
	return metadata.NewOutgoingContext(ctx, headers), nil
}

// A Rate without an id gets one: it is repeated when the server is away for a moment.
func withRequestID(request any) any {
	rate, ok := request.(*accretev1.RateRequest)
	if !ok || rate.RequestId != "" {
		return request
	}
	rate = proto.CloneOf(rate)
	rate.RequestId = newRequestID()
	return rate
}

// Metadata as OpenTelemetry writes it.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
